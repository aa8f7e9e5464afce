import { MalformedPacketError, ProtocolError } from '../../errors.js';
import type { Acknowledgement } from '../packet.js';
import { PACKET_NAMES } from '../packet-type.js';
import { readProperties, writeProperties } from '../properties.js';
import { NO_PROPERTIES } from '../property-table.js';
import { Reader } from '../reader.js';
import { hasReasonCode } from '../reason-codes-allowed.js';
import type { ProtocolVersion } from '../version.js';
import type { Writer } from '../writer.js';

/**
 * PUBACK, PUBREC, PUBREL, PUBCOMP (3.4 to 3.7), one codec for the four:
 *
 *     Packet Identifier; in MQTT 5 then Reason Code (absent: 0x00) and Properties (absent below Remaining Length 4)
 */
export function decodeAcknowledgement(
  type: Acknowledgement['type'],
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Acknowledgement {
  const length = end - start;
  if (length < 2 || (version !== 5 && length !== 2)) {
    throw new MalformedPacketError(
      'acknowledgement-length',
      `${PACKET_NAMES[type]} has a Remaining Length of ${length}`,
    );
  }
  const packetId = ((source[start] as number) << 8) | (source[start + 1] as number);
  if (packetId === 0)
    throw new ProtocolError('packet-id-zero', `${PACKET_NAMES[type]} has Packet Identifier 0`);
  if (length === 2) return { type, packetId, reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = source[start + 2] as number;
  // [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
  if (!hasReasonCode(type, reasonCode)) {
    throw new ProtocolError(
      'reason-code',
      `Reason Code 0x${reasonCode.toString(16)} may not stand in ${PACKET_NAMES[type]}`,
    );
  }
  if (length === 3) return { type, packetId, reasonCode, properties: NO_PROPERTIES };
  const reader = new Reader(source, start + 3, end);
  const properties = readProperties(reader, PACKET_NAMES[type] as 'PUBACK');
  reader.finish();
  return { type, packetId, reasonCode, properties };
}

/** Writes the shortest form: two bytes for success without properties, three without properties. */
export function encodeAcknowledgement(
  writer: Writer,
  packet: Acknowledgement,
  version: ProtocolVersion,
): void {
  writer.int16(packet.packetId);
  if (version !== 5 || (packet.reasonCode === 0 && packet.properties.length === 0)) return;
  writer.byte(packet.reasonCode);
  if (packet.properties.length > 0) writeProperties(writer, packet.properties);
}
