import { MalformedPacketError, ProtocolError } from '../../errors.js';
import type { Connack } from '../packet.js';
import { PacketType } from '../packet-type.js';
import { readProperties, writeProperties } from '../properties.js';
import { NO_PROPERTIES } from '../property-table.js';
import { Reader } from '../reader.js';
import type { ProtocolVersion } from '../version.js';
import type { Writer } from '../writer.js';

/** CONNACK (3.2): Connect Acknowledge Flags (bit 0 Session Present), Reason Code, Properties (MQTT 5). */
export function decodeConnack(
  _flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Connack {
  const reader = new Reader(source, start, end);
  const flags = reader.byte();
  // [MQTT-3.2.2-1]; 3.1 left the byte unused.
  if (version !== 3 && (flags & 0xfe) !== 0) {
    throw new MalformedPacketError('connack-flags', 'reserved Connect Acknowledge Flags are set');
  }
  const reasonCode = reader.byte();
  const sessionPresent = version !== 3 && (flags & 1) === 1;
  // [MQTT-3.2.2-6] [MQTT311-3.2.2-4]
  if (sessionPresent && reasonCode !== 0) {
    throw new ProtocolError(
      'connack-session-present',
      'CONNACK refuses the connection but has Session Present set',
    );
  }
  const properties = version === 5 ? readProperties(reader, 'CONNACK') : NO_PROPERTIES;
  reader.finish();
  return { type: PacketType.CONNACK, sessionPresent, reasonCode, properties };
}

export function encodeConnack(writer: Writer, packet: Connack, version: ProtocolVersion): void {
  // The other bits are 0 [MQTT-3.2.2-1].
  writer.byte(packet.sessionPresent && version !== 3 ? 1 : 0);
  writer.byte(packet.reasonCode);
  if (version === 5) writeProperties(writer, packet.properties);
}
