import {
  type Connack,
  PACKET_NAMES,
  type Packet,
  type PacketStream,
  PacketType,
  ProtocolError,
  type ProtocolVersion,
  ReasonCode,
  reasonText,
} from '@tsmqtt/protocol';
import { ClientError } from '../client-error.js';

/** A CONNACK that refuses. */
export function refused(reasonCode: number, protocolVersion: ProtocolVersion): ClientError {
  const why = protocolVersion === 5 ? reasonText(reasonCode) : `return code ${reasonCode}`;
  return new ClientError('refused', `the server refused the connection: ${why}`, {
    reasonCode,
    protocolVersion,
  });
}

/**
 * The first packet of a connection.
 *
 * @throws ProtocolError for anything but a CONNACK [MQTT-3.2.0-1], and for a session where none can be [MQTT-3.2.2-2].
 */
export function expectConnack(packet: Packet, cleanStart: boolean): Connack {
  if (packet.type !== PacketType.CONNACK) {
    throw new ProtocolError('packet-type', `${PACKET_NAMES[packet.type]} came where CONNACK was due`);
  }
  if (packet.sessionPresent && cleanStart) {
    throw new ProtocolError('session-present', 'Session Present is set after a clean start');
  }
  return packet;
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
