import { type PeerError, ReasonCode } from '@tsmqtt/protocol';
import type { CloseReason } from './close-reason-table.js';

/** What the log calls an error, by the Reason Code that MQTT 5 has for it (broker §5). */
const REASON_BY_CODE = new Map<number, CloseReason>([
  [ReasonCode.TOPIC_ALIAS_INVALID, 'topicAliasInvalid'],
  [ReasonCode.PACKET_TOO_LARGE, 'oversizePacket'],
  [ReasonCode.RETAIN_NOT_SUPPORTED, 'disallowedFeature'],
  [ReasonCode.QOS_NOT_SUPPORTED, 'disallowedFeature'],
]);

/** Why a connection ends that got this error. */
export function closeReasonOf(error: PeerError): CloseReason {
  const known = REASON_BY_CODE.get(error.reasonCode);
  if (known !== undefined) return known;
  return error.name === 'MalformedPacketError' ? 'malformedPacket' : 'protocolError';
}

/** Errors that get a bare close in MQTT 5 too (broker §9.1, T-54). */
const BARE_CLOSE: ReadonlySet<string> = new Set([
  'property-utf8',
  'ping-length',
  'remaining-length',
  'header-limit',
  'second-connect',
]);

/** Whether an MQTT 5 client is told its error in a DISCONNECT. */
export function answersWithDisconnect(error: PeerError): boolean {
  return !BARE_CLOSE.has(error.code);
}
