import { copyBytes } from './copy-bytes.js';
import { lengthBytes } from './framer.js';
import type {
  Acknowledgement,
  Auth,
  Connack,
  Connect,
  Disconnect,
  Packet,
  Publish,
  Suback,
  Subscribe,
  Unsuback,
  Unsubscribe,
} from './packet.js';
import { PacketType } from './packet-type.js';
import { encodeAcknowledgement } from './packets/acknowledgement.js';
import { encodeConnack } from './packets/connack.js';
import { encodeConnect } from './packets/connect.js';
import { encodeDisconnect } from './packets/disconnect.js';
import { encodePublishHead, publishFlags } from './packets/publish.js';
import { encodeSuback, encodeUnsuback } from './packets/suback.js';
import { encodeSubscribe, encodeUnsubscribe } from './packets/subscribe.js';
import type { ProtocolVersion } from './version.js';
import { checkRemainingLength, Writer, writeVarint } from './writer.js';

type Encoder = (writer: Writer, packet: Packet, version: ProtocolVersion) => void;

const nothing: Encoder = () => {};

/** Encoder of the body by packet type. */
const ENCODERS: readonly Encoder[] = [
  nothing, // type 0 does not exist
  (writer, packet) => encodeConnect(writer, packet as Connect),
  (writer, packet, version) => encodeConnack(writer, packet as Connack, version),
  (writer, packet, version) => encodePublishHead(writer, packet as Publish, version),
  (writer, packet, version) => encodeAcknowledgement(writer, packet as Acknowledgement, version),
  (writer, packet, version) => encodeAcknowledgement(writer, packet as Acknowledgement, version),
  (writer, packet, version) => encodeAcknowledgement(writer, packet as Acknowledgement, version),
  (writer, packet, version) => encodeAcknowledgement(writer, packet as Acknowledgement, version),
  (writer, packet, version) => encodeSubscribe(writer, packet as Subscribe, version),
  (writer, packet, version) => encodeSuback(writer, packet as Suback, version),
  (writer, packet, version) => encodeUnsubscribe(writer, packet as Unsubscribe, version),
  (writer, packet, version) => encodeUnsuback(writer, packet as Unsuback, version),
  nothing,
  nothing,
  (writer, packet, version) => encodeDisconnect(writer, packet as Disconnect, version),
  (writer, packet, version) => encodeDisconnect(writer, packet as Auth, version),
];

function flagsOf(packet: Packet): number {
  switch (packet.type) {
    case PacketType.PUBLISH:
      return publishFlags(packet.qos, packet.retain, packet.dup);
    case PacketType.PUBREL:
    case PacketType.SUBSCRIBE:
    case PacketType.UNSUBSCRIBE:
      return 2;
    default:
      return 0;
  }
}

const scratch = new Writer();
/** Room in front of the body for the longest Fixed Header. */
const HEADER_ROOM = 5;
const NOTHING = new Uint8Array(0);

/** Memory for packets up to a quarter of its size. Node's own, of 8 KiB, is used up too soon for packets of 1 KiB. */
const SLAB_BYTES = 32_768;
let slab = Buffer.alloc(0);
let used = 0;

function allocate(size: number): Buffer {
  if (size > SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(size);
  if (used + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const start = used;
  used += size;
  return slab.subarray(start, used);
}

/**
 * The packet's bytes, for packets that are rare; what comes by the million is written by OutputBuffer. A small one may keep
 * 32 KiB of memory alive.
 *
 * @param version Ignored for CONNECT, which brings its own.
 * @throws UsageError for a value that has no encoding.
 */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  scratch.reset();
  scratch.skip(HEADER_ROOM);
  (ENCODERS[packet.type] as Encoder)(scratch, packet, version);
  const payload = packet.type === PacketType.PUBLISH ? packet.payload : NOTHING;
  const { buffer, length } = scratch;
  const remainingLength = length - HEADER_ROOM + payload.length;
  checkRemainingLength(remainingLength);
  const start = HEADER_ROOM - 1 - lengthBytes(remainingLength);
  buffer[start] = (packet.type << 4) | flagsOf(packet);
  writeVarint(buffer, start + 1, remainingLength);
  const bytes = allocate(length - start + payload.length);
  copyBytes(buffer, start, length, bytes, 0);
  copyBytes(payload, 0, payload.length, bytes, length - start);
  return bytes;
}
