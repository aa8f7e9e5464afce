import { writeProperties } from './properties.js';
import type { Properties, Property } from './property-table.js';
import type { Writer } from './writer.js';

/** What one connection adds to a PUBLISH (MQTT 5): written behind the message's own properties (broker §9.9). */
export interface PublishAdditions {
  /** Replaces the message's own, or adds one; undefined: the message has none left to say. */
  readonly messageExpiryInterval: number | undefined;
  readonly topicAlias: number | undefined;
  /** Topic goes out empty, because the alias stands for it (3.3.2.3.4). */
  readonly omitTopic: boolean;
  readonly subscriptionIdentifier: number | undefined;
}

/** [MQTT-3.3.2-7]: an alias never passes from one connection to another; neither do Subscription Identifiers. */
export function isOfOtherConnection(entry: Property): boolean {
  return entry.name === 'topicAlias' || entry.name === 'subscriptionIdentifier';
}

/** The message's own properties in the order received, then those of this connection (broker §9.9). */
export function writeForwardedProperties(
  writer: Writer,
  own: Properties,
  additions: PublishAdditions | undefined,
): void {
  const properties: Property[] = own.filter(
    (entry) =>
      !isOfOtherConnection(entry) && (additions === undefined || entry.name !== 'messageExpiryInterval'),
  );
  if (additions?.messageExpiryInterval !== undefined) {
    properties.push({ name: 'messageExpiryInterval', value: additions.messageExpiryInterval });
  }
  if (additions?.topicAlias !== undefined)
    properties.push({ name: 'topicAlias', value: additions.topicAlias });
  if (additions?.subscriptionIdentifier !== undefined) {
    properties.push({ name: 'subscriptionIdentifier', value: additions.subscriptionIdentifier });
  }
  writeProperties(writer, properties);
}
