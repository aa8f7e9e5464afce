import {
  lazily,
  NO_PROPERTIES,
  PROPERTIES,
  type Properties,
  type PropertyPlace,
  type PropertyRow,
  type ProtocolVersion,
  UsageError,
  validTopicName,
} from '@tsmqtt/protocol';

const byName = lazily(() => new Map<string, PropertyRow>(PROPERTIES.map((row) => [row.name, row])));

/**
 * Properties that the caller wants to send, checked by the table: a server would close the connection over them.
 *
 * @throws UsageError `properties-version`, `property-misplaced`, `property-duplicate`, `property-value`.
 */
export function outgoingProperties(
  properties: Properties | undefined,
  place: PropertyPlace,
  version: ProtocolVersion,
): Properties {
  if (properties === undefined || properties.length === 0) return NO_PROPERTIES;
  if (version !== 5) throw new UsageError('properties-version', 'properties need MQTT 5');
  const seen = new Set<string>();
  for (const { name, value } of properties) {
    const row = byName().get(name);
    // A client sends no Subscription Identifier with its messages [MQTT-3.3.4-6].
    if (
      row === undefined ||
      !row.places.includes(place) ||
      (name === 'subscriptionIdentifier' && place === 'PUBLISH')
    ) {
      throw new UsageError('property-misplaced', `${row?.label ?? name} may not stand in ${place}`);
    }
    if (seen.has(name) && (row.repeatable !== true || name === 'subscriptionIdentifier')) {
      throw new UsageError('property-duplicate', `${row.label} stands twice in ${place}`);
    }
    seen.add(name);
    if (
      (row.nonZero === true && value === 0) ||
      (row.type === 'boolean' && value !== 0 && value !== 1) ||
      (name === 'responseTopic' && !validTopicName(value as string))
    ) {
      throw new UsageError('property-value', `${row.label} cannot be ${JSON.stringify(value)}`);
    }
  }
  return properties;
}
