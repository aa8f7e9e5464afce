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
import { encodePublish, publishFlags } from './packets/publish.js';
import { encodeSuback, encodeUnsuback } from './packets/suback.js';
import { encodeSubscribe, encodeUnsubscribe } from './packets/subscribe.js';
import type { ProtocolVersion } from './version.js';
import { Writer } from './writer.js';

type Encoder = (writer: Writer, packet: Packet, version: ProtocolVersion) => void;

const nothing: Encoder = () => {};

/** Encoder of the body by packet type. */
const ENCODERS: readonly Encoder[] = [
  nothing, // type 0 does not exist
  (writer, packet) => encodeConnect(writer, packet as Connect),
  (writer, packet, version) => encodeConnack(writer, packet as Connack, version),
  (writer, packet, version) => encodePublish(writer, packet as Publish, version),
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

/**
 * The packet's bytes, for packets that are rare; what comes by the million is written by OutputBuffer.
 *
 * @param version Ignored for CONNECT, which brings its own.
 * @throws UsageError for a value that has no encoding.
 */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  scratch.reset();
  scratch.byte((packet.type << 4) | flagsOf(packet));
  const mark = scratch.fork();
  (ENCODERS[packet.type] as Encoder)(scratch, packet, version);
  scratch.join(mark);
  return Buffer.from(scratch.buffer.subarray(0, scratch.length));
}
