import {
  type Connack,
  NO_PROPERTIES,
  type Packet,
  type PacketStream,
  PacketType,
  type Properties,
  ProtocolError,
  type ProtocolVersion,
  ReasonCode,
  reasonText,
} from '@tsmqtt/protocol';
import { ClientError } from '../client-error.js';

/** A CONNACK that refuses. */
function refused(
  reasonCode: number,
  protocolVersion: ProtocolVersion,
  properties: Properties = NO_PROPERTIES,
): ClientError {
  const why = protocolVersion === 5 ? reasonText(reasonCode) : `return code ${reasonCode}`;
  return new ClientError('refused', `the server refused the connection: ${why}`, {
    reasonCode,
    protocolVersion,
    properties,
  });
}

/**
 * Looks at the header of a connection's first packet, so that what is not MQTT at all is told before its supposed
 * length has come. MQTT 5 may begin with AUTH, if one was offered.
 *
 * @throws ProtocolError for anything but a CONNACK [MQTT-3.2.0-1].
 */
export function checkFirstHeader(firstByte: number, version: ProtocolVersion): void {
  const type = firstByte >> 4;
  if (type === PacketType.CONNACK || (type === PacketType.AUTH && version === 5)) return;
  throw new ProtocolError('packet-type', 'the server did not begin with CONNACK');
}

/** What the first packet comes to: a CONNACK with which the connection begins, or why there is none. */
export function greeting(
  packet: Packet,
  cleanStart: boolean,
  version: ProtocolVersion,
): Connack | ClientError {
  if (packet.type === PacketType.AUTH) return unexpectedAuth(packet.reasonCode);
  const connack = packet as Connack;
  if (connack.reasonCode !== 0) return refused(connack.reasonCode, version, connack.properties);
  if (connack.sessionPresent && cleanStart) {
    throw new ProtocolError('session-present', 'Session Present is set after a clean start'); // [MQTT-3.2.2-4]
  }
  return connack;
}

/** The server wants to go on with an authentication that was not offered [MQTT-4.12.0-6]. */
export function unexpectedAuth(reasonCode: number): ClientError {
  return new ClientError('unexpected-auth', 'the server sent AUTH without being asked', { reasonCode });
}

/**
 * A server without MQTT 5 may answer with 3.x's CONNACK, which has no properties and does not decode as MQTT 5; its
 * code 1 is MQTT 5's 132 (cli §17.2, D-17). Undefined where the packet is anything else.
 */
export function refusalInOldForm({ current, bodyLength, version }: PacketStream): ClientError | undefined {
  const { source, frameStart, start } = current;
  if (version !== 5 || bodyLength !== 2) return undefined;
  if (source[frameStart] !== PacketType.CONNACK << 4 || source[start + 1] !== 1) return undefined;
  return refused(ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, version);
}
