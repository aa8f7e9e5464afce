import type { PacketName } from './packet-type.js';

/** How a property's value is laid out on the wire (2.2.2.2, 1.5). */
export type PropertyType = 'byte' | 'boolean' | 'int16' | 'int32' | 'varint' | 'string' | 'binary' | 'pair';

/** Where a property may stand: a packet, or the will inside CONNECT. */
export type PropertyPlace = PacketName | 'WILL';

export interface PropertyRow {
  /** Property identifier (2.2.2.2). */
  readonly id: number;
  /** Name in objects. */
  readonly name: string;
  /** Name in the specification's table 2-4, lower case with dashes, as command line options spell it. */
  readonly label: string;
  readonly type: PropertyType;
  readonly places: readonly PropertyPlace[];
  /** May stand more than once in one packet. */
  readonly repeatable?: true;
  /** Zero is a Protocol Error. */
  readonly nonZero?: true;
}

/** Every property of MQTT 5, table 2-4. The only list: codec, command line and documentation derive from it. */
// biome-ignore format: one row a line
export const PROPERTIES = [
  { id: 0x01, name: 'payloadFormatIndicator', label: 'payload-format-indicator', type: 'boolean', places: ['PUBLISH', 'WILL'] },
  { id: 0x02, name: 'messageExpiryInterval', label: 'message-expiry-interval', type: 'int32', places: ['PUBLISH', 'WILL'] },
  { id: 0x03, name: 'contentType', label: 'content-type', type: 'string', places: ['PUBLISH', 'WILL'] },
  { id: 0x08, name: 'responseTopic', label: 'response-topic', type: 'string', places: ['PUBLISH', 'WILL'] },
  { id: 0x09, name: 'correlationData', label: 'correlation-data', type: 'binary', places: ['PUBLISH', 'WILL'] },
  { id: 0x0b, name: 'subscriptionIdentifier', label: 'subscription-identifier', type: 'varint', places: ['PUBLISH', 'SUBSCRIBE'], repeatable: true, nonZero: true },
  { id: 0x11, name: 'sessionExpiryInterval', label: 'session-expiry-interval', type: 'int32', places: ['CONNECT', 'CONNACK', 'DISCONNECT'] },
  { id: 0x12, name: 'assignedClientIdentifier', label: 'assigned-client-identifier', type: 'string', places: ['CONNACK'] },
  { id: 0x13, name: 'serverKeepAlive', label: 'server-keep-alive', type: 'int16', places: ['CONNACK'] },
  { id: 0x15, name: 'authenticationMethod', label: 'authentication-method', type: 'string', places: ['CONNECT', 'CONNACK', 'AUTH'] },
  { id: 0x16, name: 'authenticationData', label: 'authentication-data', type: 'binary', places: ['CONNECT', 'CONNACK', 'AUTH'] },
  { id: 0x17, name: 'requestProblemInformation', label: 'request-problem-information', type: 'boolean', places: ['CONNECT'] },
  { id: 0x18, name: 'willDelayInterval', label: 'will-delay-interval', type: 'int32', places: ['WILL'] },
  { id: 0x19, name: 'requestResponseInformation', label: 'request-response-information', type: 'boolean', places: ['CONNECT'] },
  { id: 0x1a, name: 'responseInformation', label: 'response-information', type: 'string', places: ['CONNACK'] },
  { id: 0x1c, name: 'serverReference', label: 'server-reference', type: 'string', places: ['CONNACK', 'DISCONNECT'] },
  { id: 0x1f, name: 'reasonString', label: 'reason-string', type: 'string', places: ['CONNACK', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK', 'DISCONNECT', 'AUTH'] },
  { id: 0x21, name: 'receiveMaximum', label: 'receive-maximum', type: 'int16', places: ['CONNECT', 'CONNACK'], nonZero: true },
  { id: 0x22, name: 'topicAliasMaximum', label: 'topic-alias-maximum', type: 'int16', places: ['CONNECT', 'CONNACK'] },
  { id: 0x23, name: 'topicAlias', label: 'topic-alias', type: 'int16', places: ['PUBLISH'], nonZero: true },
  { id: 0x24, name: 'maximumQoS', label: 'maximum-qos', type: 'boolean', places: ['CONNACK'] },
  { id: 0x25, name: 'retainAvailable', label: 'retain-available', type: 'boolean', places: ['CONNACK'] },
  { id: 0x26, name: 'userProperty', label: 'user-property', type: 'pair', places: ['CONNECT', 'CONNACK', 'PUBLISH', 'WILL', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK', 'DISCONNECT', 'AUTH'], repeatable: true },
  { id: 0x27, name: 'maximumPacketSize', label: 'maximum-packet-size', type: 'int32', places: ['CONNECT', 'CONNACK'], nonZero: true },
  { id: 0x28, name: 'wildcardSubscriptionAvailable', label: 'wildcard-subscription-available', type: 'boolean', places: ['CONNACK'] },
  { id: 0x29, name: 'subscriptionIdentifierAvailable', label: 'subscription-identifier-available', type: 'boolean', places: ['CONNACK'] },
  { id: 0x2a, name: 'sharedSubscriptionAvailable', label: 'shared-subscription-available', type: 'boolean', places: ['CONNACK'] },
] as const satisfies readonly PropertyRow[];

type Row = (typeof PROPERTIES)[number];
export type PropertyName = Row['name'];

type ValueOf<T extends PropertyType> = T extends 'string'
  ? string
  : T extends 'binary'
    ? Uint8Array
    : T extends 'pair'
      ? readonly [name: string, value: string]
      : number;

/**
 * One property as it stood on the wire. Packets keep properties as a list in received order, because their order is
 * part of what a program may show (contract: JSON output) and what a broker must forward (MQTT 5, 3.3.2.3.7).
 */
export type Property = {
  readonly [R in Row as R['name']]: { readonly name: R['name']; readonly value: ValueOf<R['type']> };
}[PropertyName];

/** The value type of the property called N. */
export type PropertyValue<N extends PropertyName> = Extract<Property, { readonly name: N }>['value'];

export type Properties = readonly Property[];

export const NO_PROPERTIES: Properties = Object.freeze([]);

/** First value of property `name`, or undefined where it is absent. */
export function property<N extends PropertyName>(
  properties: Properties,
  name: N,
): PropertyValue<N> | undefined {
  for (const entry of properties) {
    if ((entry.name as string) === name) return entry.value as PropertyValue<N> | undefined;
  }
  return undefined;
}
