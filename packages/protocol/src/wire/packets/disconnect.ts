import { MalformedPacketError, ProtocolError } from '../../errors.js';
import type { Auth, Disconnect } from '../packet.js';
import { PacketType } from '../packet-type.js';
import { readProperties, writeProperties } from '../properties.js';
import { NO_PROPERTIES } from '../property-table.js';
import { Reader } from '../reader.js';
import { hasReasonCode } from '../reason-codes-allowed.js';
import type { ProtocolVersion } from '../version.js';
import type { Writer } from '../writer.js';

/**
 * DISCONNECT (3.14): empty in 3.x; in MQTT 5 Reason Code (absent: 0x00) and Properties (absent below Remaining Length
 * 2). Reason Codes that the specification does not have are let through: whoever sends DISCONNECT is leaving (broker T-55).
 */
export function decodeDisconnect(
  _flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Disconnect {
  if (start === end) return { type: PacketType.DISCONNECT, reasonCode: 0, properties: NO_PROPERTIES };
  if (version !== 5) throw new MalformedPacketError('disconnect-length', 'DISCONNECT has a body');
  const reader = new Reader(source, start, end);
  const reasonCode = reader.byte();
  const properties = reader.remaining === 0 ? NO_PROPERTIES : readProperties(reader, 'DISCONNECT');
  reader.finish();
  return { type: PacketType.DISCONNECT, reasonCode, properties };
}

/** AUTH (3.15), MQTT 5 only: as DISCONNECT, with 0x00, 0x18 and 0x19 as Reason Codes. */
export function decodeAuth(
  _flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Auth {
  if (version !== 5)
    throw new MalformedPacketError('packet-type', 'packet type 15 is reserved before MQTT 5');
  if (start === end) return { type: PacketType.AUTH, reasonCode: 0, properties: NO_PROPERTIES };
  const reader = new Reader(source, start, end);
  const reasonCode = reader.byte();
  // [MQTT-3.15.2-1]
  if (!hasReasonCode(PacketType.AUTH, reasonCode)) {
    throw new ProtocolError('reason-code', `0x${reasonCode.toString(16)} may not stand in AUTH`);
  }
  const properties = reader.remaining === 0 ? NO_PROPERTIES : readProperties(reader, 'AUTH');
  reader.finish();
  return { type: PacketType.AUTH, reasonCode, properties };
}

/** DISCONNECT and AUTH in their shortest form. */
export function encodeDisconnect(writer: Writer, packet: Disconnect | Auth, version: ProtocolVersion): void {
  if (version !== 5 || (packet.reasonCode === 0 && packet.properties.length === 0)) return;
  writer.byte(packet.reasonCode);
  if (packet.properties.length > 0) writeProperties(writer, packet.properties);
}
