import { MalformedPacketError, PeerError, ProtocolError } from '../../errors.js';
import { parseFilter } from '../../topic/shared-filter.js';
import { validTopicFilter } from '../../topic/topic-filter.js';
import type { Subscribe, SubscriptionRequest, Unsubscribe } from '../packet.js';
import { PacketType } from '../packet-type.js';
import { readProperties, writeProperties } from '../properties.js';
import { NO_PROPERTIES } from '../property-table.js';
import { Reader } from '../reader.js';
import type { ProtocolVersion, QoS } from '../version.js';
import type { Writer } from '../writer.js';

/** Packet Identifier of SUBSCRIBE and UNSUBSCRIBE; 0 is malformed there (broker §9.1) [MQTT-2.2.1-3] [MQTT311-2.3.1-1]. */
function readPacketId(reader: Reader): number {
  const packetId = reader.int16();
  if (packetId === 0) throw new MalformedPacketError('packet-id-zero', 'Packet Identifier is 0');
  return packetId;
}

function readFilter(reader: Reader): string {
  // [MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT311-3.8.3-1] [MQTT311-3.10.3-1]
  const filter = reader.string('Topic Filter');
  // [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1], [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  // [MQTT311-4.7.1-2] [MQTT311-4.7.1-3] [MQTT311-4.7.3-1]
  const parsed = parseFilter(filter);
  if (!parsed.valid && parsed.reasonCode === 0x82) {
    throw new ProtocolError('shared-filter', 'Shared Subscription is not $share/name/filter');
  }
  if (!parsed.valid || !validTopicFilter(filter)) {
    throw new MalformedPacketError('topic-filter', 'Topic Filter is not valid');
  }
  return filter;
}

/** Reads to the end of the packet; what was read when something turns out wrong goes with the error. */
function readAll<T>(reader: Reader, packet: Subscribe | Unsubscribe, into: T[], read: () => T): void {
  try {
    while (reader.remaining > 0) into.push(read());
  } catch (error) {
    if (error instanceof PeerError && into.length > 0) error.begun = packet;
    throw error;
  }
}

/** A Topic Filter and its Subscription Options (3.8.3.1). */
function readRequest(reader: Reader, version: ProtocolVersion): SubscriptionRequest {
  const filter = readFilter(reader);
  const options = reader.byte();
  // [MQTT-3.8.3-5] [MQTT311-3.8.3-4]: reserved bits are zero; QoS 3 and Retain Handling 3 do not exist.
  if ((options & 3) === 3 || (options & (version === 5 ? 0xc0 : 0xfc)) !== 0 || (options & 0x30) === 0x30) {
    throw new MalformedPacketError(
      'subscription-options',
      `Subscription Options 0x${options.toString(16)} are not valid`,
    );
  }
  const noLocal = (options & 4) !== 0;
  // [MQTT-3.8.3-4]
  if (noLocal && filter.startsWith('$share/')) {
    throw new ProtocolError('shared-no-local', 'No Local on a Shared Subscription');
  }
  return {
    filter,
    qos: (options & 3) as QoS,
    noLocal,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: ((options >> 4) & 3) as 0 | 1 | 2,
  };
}

/**
 * SUBSCRIBE (3.8): Packet Identifier, Properties (MQTT 5), then Topic Filter and options each:
 *
 *     bits 1-0 QoS; MQTT 5: bit 2 No Local, bit 3 Retain As Published, bits 5-4 Retain Handling; the rest reserved
 */
export function decodeSubscribe(
  _flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Subscribe {
  const reader = new Reader(source, start, end);
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, 'SUBSCRIBE') : NO_PROPERTIES;
  const subscriptions: SubscriptionRequest[] = [];
  const packet = { type: PacketType.SUBSCRIBE, packetId, subscriptions, properties };
  readAll(reader, packet, subscriptions, () => readRequest(reader, version));
  // [MQTT-3.8.3-2] [MQTT311-3.8.3-3]; 3.1 does not say so (broker §9.8).
  if (subscriptions.length === 0 && version !== 3)
    throw new MalformedPacketError('no-filter', 'SUBSCRIBE has no Topic Filter');
  return packet;
}

export function encodeSubscribe(writer: Writer, packet: Subscribe, version: ProtocolVersion): void {
  writer.int16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties);
  for (const request of packet.subscriptions) {
    writer.string(request.filter);
    const options =
      (request.noLocal ? 4 : 0) | (request.retainAsPublished ? 8 : 0) | (request.retainHandling << 4);
    writer.byte(request.qos | (version === 5 ? options : 0));
  }
}

/** UNSUBSCRIBE (3.10): Packet Identifier, Properties (MQTT 5), Topic Filters. */
export function decodeUnsubscribe(
  _flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Unsubscribe {
  const reader = new Reader(source, start, end);
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, 'UNSUBSCRIBE') : NO_PROPERTIES;
  const filters: string[] = [];
  const packet = { type: PacketType.UNSUBSCRIBE, packetId, filters, properties };
  readAll(reader, packet, filters, () => readFilter(reader));
  // [MQTT-3.10.3-2] [MQTT311-3.10.3-2]
  if (filters.length === 0 && version !== 3)
    throw new MalformedPacketError('no-filter', 'UNSUBSCRIBE has no Topic Filter');
  return packet;
}

export function encodeUnsubscribe(writer: Writer, packet: Unsubscribe, version: ProtocolVersion): void {
  writer.int16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties);
  for (const filter of packet.filters) writer.string(filter);
}
