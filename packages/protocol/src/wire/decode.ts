import { MalformedPacketError, ProtocolError } from '../errors.js';
import type { Acknowledgement, Packet, Pingreq, Pingresp } from './packet.js';
import { PACKET_NAMES, PacketType } from './packet-type.js';
import { decodeAcknowledgement } from './packets/acknowledgement.js';
import { decodeConnack } from './packets/connack.js';
import { decodeConnect } from './packets/connect.js';
import { decodeAuth, decodeDisconnect } from './packets/disconnect.js';
import { decodePublish } from './packets/publish.js';
import { decodeSuback, decodeUnsuback } from './packets/suback.js';
import { decodeSubscribe, decodeUnsubscribe } from './packets/subscribe.js';
import type { ProtocolVersion } from './version.js';

type Decoder = (
  flags: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
) => Packet;

const acknowledgement =
  (type: Acknowledgement['type']): Decoder =>
  (_flags, source, start, end, version) =>
    decodeAcknowledgement(type, source, start, end, version);

const empty =
  (packet: Pingreq | Pingresp): Decoder =>
  (_flags, _source, start, end) => {
    if (start !== end)
      throw new MalformedPacketError('ping-length', `${PACKET_NAMES[packet.type]} has a body`);
    return packet;
  };

/** Decoder by packet type. PUBLISH has its own way in, because it is described by where its frame starts. */
const DECODERS: readonly (Decoder | undefined)[] = [
  undefined,
  decodeConnect,
  decodeConnack,
  undefined,
  acknowledgement(PacketType.PUBACK),
  acknowledgement(PacketType.PUBREC),
  acknowledgement(PacketType.PUBREL),
  acknowledgement(PacketType.PUBCOMP),
  decodeSubscribe,
  decodeSuback,
  decodeUnsubscribe,
  decodeUnsuback,
  empty(Object.freeze({ type: PacketType.PINGREQ })),
  empty(Object.freeze({ type: PacketType.PINGRESP })),
  decodeDisconnect,
  decodeAuth,
];

/** Flags of the Fixed Header that are not PUBLISH's are fixed (2.1.3, table 2-2). */
const FLAGS: readonly number[] = [0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0];

/**
 * Decodes the packet whose frame is `source[frameStart, end)` and whose body starts at `start`.
 *
 * @param version What CONNECT agreed on. A CONNECT brings its own.
 * @throws MalformedPacketError, ProtocolError and nothing else.
 */
export function decodeFrame(
  source: Buffer,
  frameStart: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Packet {
  const firstByte = source[frameStart] as number;
  const type = firstByte >> 4;
  if (type === PacketType.PUBLISH) return decodePublish(frameStart, source, start, end, version);
  const decode = DECODERS[type];
  // Type 0 is reserved (2.1.2).
  if (decode === undefined) throw new ProtocolError('packet-type', 'packet type 0 is reserved');
  const flags = firstByte & 0x0f;
  // [MQTT-2.1.3-1] [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]; PUBREL [MQTT-3.6.1-1] [MQTT311-3.6.1-1], SUBSCRIBE
  // [MQTT-3.8.1-1] [MQTT311-3.8.1-1], UNSUBSCRIBE [MQTT-3.10.1-1] [MQTT311-3.10.1-1], DISCONNECT [MQTT-3.14.1-1]
  // [MQTT311-3.14.1-1], AUTH [MQTT-3.15.1-1].
  // CONNECT judges its own flags, and 3.1 set others on PUBREL (broker §9.14).
  if (
    flags !== FLAGS[type] &&
    type !== PacketType.CONNECT &&
    !(version === 3 && type === PacketType.PUBREL)
  ) {
    throw new MalformedPacketError('reserved-flags', `${PACKET_NAMES[type]} has flags ${flags}`);
  }
  return decode(flags, source, start, end, version);
}
