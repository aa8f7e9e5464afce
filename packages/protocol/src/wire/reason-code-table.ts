import { lazily } from '../lazily.js';
import type { PacketName } from './packet-type.js';

export interface ReasonCodeRow {
  readonly code: number;
  /** Name of the constant. */
  readonly name: string;
  /** What programs print. */
  readonly text: string;
  /** Packets that may carry it (2.4). */
  readonly packets: readonly PacketName[];
}

/**
 * Every Reason Code of MQTT 5 (2.4, table 2-6). 0x00 has three names there; they share a row. 0x95 stands in PUBACK and
 * PUBREC too: brokers refuse a payload with it (broker §9.7), and table 2-6 is wider than 3.4.2.1 and 3.5.2.1.
 */
// biome-ignore format: one row a line
export const REASON_CODES = [
  { code: 0x00, name: 'SUCCESS', text: 'Success', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK', 'DISCONNECT', 'AUTH'] },
  { code: 0x01, name: 'GRANTED_QOS_1', text: 'Granted QoS 1', packets: ['SUBACK'] },
  { code: 0x02, name: 'GRANTED_QOS_2', text: 'Granted QoS 2', packets: ['SUBACK'] },
  { code: 0x04, name: 'DISCONNECT_WITH_WILL_MESSAGE', text: 'Disconnect with Will Message', packets: ['DISCONNECT'] },
  { code: 0x10, name: 'NO_MATCHING_SUBSCRIBERS', text: 'No matching subscribers', packets: ['PUBACK', 'PUBREC'] },
  { code: 0x11, name: 'NO_SUBSCRIPTION_EXISTED', text: 'No subscription existed', packets: ['UNSUBACK'] },
  { code: 0x18, name: 'CONTINUE_AUTHENTICATION', text: 'Continue authentication', packets: ['AUTH'] },
  { code: 0x19, name: 'RE_AUTHENTICATE', text: 'Re-authenticate', packets: ['AUTH'] },
  { code: 0x80, name: 'UNSPECIFIED_ERROR', text: 'Unspecified error', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK', 'DISCONNECT'] },
  { code: 0x81, name: 'MALFORMED_PACKET', text: 'Malformed Packet', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x82, name: 'PROTOCOL_ERROR', text: 'Protocol Error', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x83, name: 'IMPLEMENTATION_SPECIFIC_ERROR', text: 'Implementation specific error', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK', 'DISCONNECT'] },
  { code: 0x84, name: 'UNSUPPORTED_PROTOCOL_VERSION', text: 'Unsupported Protocol Version', packets: ['CONNACK'] },
  { code: 0x85, name: 'CLIENT_IDENTIFIER_NOT_VALID', text: 'Client Identifier not valid', packets: ['CONNACK'] },
  { code: 0x86, name: 'BAD_USER_NAME_OR_PASSWORD', text: 'Bad User Name or Password', packets: ['CONNACK'] },
  { code: 0x87, name: 'NOT_AUTHORIZED', text: 'Not authorized', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK', 'DISCONNECT'] },
  { code: 0x88, name: 'SERVER_UNAVAILABLE', text: 'Server unavailable', packets: ['CONNACK'] },
  { code: 0x89, name: 'SERVER_BUSY', text: 'Server busy', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x8a, name: 'BANNED', text: 'Banned', packets: ['CONNACK'] },
  { code: 0x8b, name: 'SERVER_SHUTTING_DOWN', text: 'Server shutting down', packets: ['DISCONNECT'] },
  { code: 0x8c, name: 'BAD_AUTHENTICATION_METHOD', text: 'Bad authentication method', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x8d, name: 'KEEP_ALIVE_TIMEOUT', text: 'Keep Alive timeout', packets: ['DISCONNECT'] },
  { code: 0x8e, name: 'SESSION_TAKEN_OVER', text: 'Session taken over', packets: ['DISCONNECT'] },
  { code: 0x8f, name: 'TOPIC_FILTER_INVALID', text: 'Topic Filter invalid', packets: ['SUBACK', 'UNSUBACK', 'DISCONNECT'] },
  { code: 0x90, name: 'TOPIC_NAME_INVALID', text: 'Topic Name invalid', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'DISCONNECT'] },
  { code: 0x91, name: 'PACKET_IDENTIFIER_IN_USE', text: 'Packet Identifier in use', packets: ['PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK'] },
  { code: 0x92, name: 'PACKET_IDENTIFIER_NOT_FOUND', text: 'Packet Identifier not found', packets: ['PUBREL', 'PUBCOMP'] },
  { code: 0x93, name: 'RECEIVE_MAXIMUM_EXCEEDED', text: 'Receive Maximum exceeded', packets: ['DISCONNECT'] },
  { code: 0x94, name: 'TOPIC_ALIAS_INVALID', text: 'Topic Alias invalid', packets: ['DISCONNECT'] },
  { code: 0x95, name: 'PACKET_TOO_LARGE', text: 'Packet too large', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'DISCONNECT'] },
  { code: 0x96, name: 'MESSAGE_RATE_TOO_HIGH', text: 'Message rate too high', packets: ['DISCONNECT'] },
  { code: 0x97, name: 'QUOTA_EXCEEDED', text: 'Quota exceeded', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'DISCONNECT'] },
  { code: 0x98, name: 'ADMINISTRATIVE_ACTION', text: 'Administrative action', packets: ['DISCONNECT'] },
  { code: 0x99, name: 'PAYLOAD_FORMAT_INVALID', text: 'Payload format invalid', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'DISCONNECT'] },
  { code: 0x9a, name: 'RETAIN_NOT_SUPPORTED', text: 'Retain not supported', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x9b, name: 'QOS_NOT_SUPPORTED', text: 'QoS not supported', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x9c, name: 'USE_ANOTHER_SERVER', text: 'Use another server', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x9d, name: 'SERVER_MOVED', text: 'Server moved', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x9e, name: 'SHARED_SUBSCRIPTIONS_NOT_SUPPORTED', text: 'Shared Subscriptions not supported', packets: ['SUBACK', 'DISCONNECT'] },
  { code: 0x9f, name: 'CONNECTION_RATE_EXCEEDED', text: 'Connection rate exceeded', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0xa0, name: 'MAXIMUM_CONNECT_TIME', text: 'Maximum connect time', packets: ['DISCONNECT'] },
  { code: 0xa1, name: 'SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED', text: 'Subscription identifiers not supported', packets: ['SUBACK', 'DISCONNECT'] },
  { code: 0xa2, name: 'WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED', text: 'Wildcard Subscriptions not supported', packets: ['SUBACK', 'DISCONNECT'] },
] as const satisfies readonly ReasonCodeRow[];

type Row = (typeof REASON_CODES)[number];

/** Reason Codes by name: `ReasonCode.NOT_AUTHORIZED` is 0x87. */
export const ReasonCode = Object.freeze(
  Object.fromEntries(REASON_CODES.map((row) => [row.name, row.code])),
) as {
  readonly [R in Row as R['name']]: R['code'];
};

const texts = lazily(() => new Map<number, string>(REASON_CODES.map((row) => [row.code, row.text])));

/** What programs print for a Reason Code; `Unknown reason` for one the specification does not have. */
export function reasonText(code: number): string {
  return texts().get(code) ?? 'Unknown reason';
}
