import { MalformedPacketError, ProtocolError } from '../../errors.js';
import type { Suback, Unsuback } from '../packet.js';
import { PacketType } from '../packet-type.js';
import { readProperties, writeProperties } from '../properties.js';
import { NO_PROPERTIES } from '../property-table.js';
import { Reader } from '../reader.js';
import { hasReasonCode } from '../reason-codes-allowed.js';
import type { ProtocolVersion } from '../version.js';
import type { Writer } from '../writer.js';

/** Return codes of SUBACK in 3.1 and 3.1.1; 0x80 is failure [MQTT311-3.9.3-2]. */
const V3_RETURN_CODES: ReadonlySet<number> = new Set([0, 1, 2, 0x80]);

function readPacketId(reader: Reader): number {
  const packetId = reader.int16();
  if (packetId === 0) throw new ProtocolError('packet-id-zero', 'Packet Identifier is 0');
  return packetId;
}

/** SUBACK (3.9): Packet Identifier, Properties (MQTT 5), one Reason Code for each Topic Filter. */
export function decodeSuback(
  _flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Suback {
  const reader = new Reader(source, start, end);
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, 'SUBACK') : NO_PROPERTIES;
  const reasonCodes: number[] = [];
  while (reader.remaining > 0) {
    const code = reader.byte();
    // [MQTT-3.9.3-2]
    if (!(version === 5 ? hasReasonCode(PacketType.SUBACK, code) : V3_RETURN_CODES.has(code))) {
      throw new ProtocolError('reason-code', `0x${code.toString(16)} may not stand in SUBACK`);
    }
    reasonCodes.push(code);
  }
  // [MQTT-3.8.4-6] [MQTT311-3.8.4-5]; in 3.1 it answers a SUBSCRIBE without filters (broker §9.8).
  if (reasonCodes.length === 0 && version !== 3)
    throw new MalformedPacketError('no-reason-code', 'SUBACK has no Reason Code');
  return { type: PacketType.SUBACK, packetId, reasonCodes, properties };
}

export function encodeSuback(writer: Writer, packet: Suback, version: ProtocolVersion): void {
  writer.int16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties);
  for (const code of packet.reasonCodes) writer.byte(code);
}

/** UNSUBACK (3.11): Packet Identifier; in MQTT 5 Properties and one Reason Code for each Topic Filter. */
export function decodeUnsuback(
  _flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Unsuback {
  const reader = new Reader(source, start, end);
  const packetId = readPacketId(reader);
  if (version !== 5) {
    reader.finish();
    return { type: PacketType.UNSUBACK, packetId, reasonCodes: [], properties: NO_PROPERTIES };
  }
  const properties = readProperties(reader, 'UNSUBACK');
  const reasonCodes: number[] = [];
  while (reader.remaining > 0) {
    const code = reader.byte();
    // [MQTT-3.11.3-2]
    if (!hasReasonCode(PacketType.UNSUBACK, code)) {
      throw new ProtocolError('reason-code', `0x${code.toString(16)} may not stand in UNSUBACK`);
    }
    reasonCodes.push(code);
  }
  // One for each filter (3.11.3).
  if (reasonCodes.length === 0)
    throw new MalformedPacketError('no-reason-code', 'UNSUBACK has no Reason Code');
  return { type: PacketType.UNSUBACK, packetId, reasonCodes, properties };
}

export function encodeUnsuback(writer: Writer, packet: Unsuback, version: ProtocolVersion): void {
  writer.int16(packet.packetId);
  if (version !== 5) return;
  writeProperties(writer, packet.properties);
  for (const code of packet.reasonCodes) writer.byte(code);
}
