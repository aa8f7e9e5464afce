import { lengthBytes } from './framer.js';
import { PacketType } from './packet-type.js';
import { publishFlags } from './packets/publish.js';
import { writeProperties } from './properties.js';
import type { Properties, Property } from './property-table.js';
import type { PublishFrame } from './publish-frame.js';
import type { ProtocolVersion, QoS } from './version.js';
import { Writer, writeVarint } from './writer.js';

/** Payloads over this many bytes go out by reference instead of being copied. */
export const LARGEST_COPIED_PAYLOAD = 1024;

const SMALLEST_SLAB = 512;
const LARGEST_SLAB = 65_536;
const NOTHING = Buffer.alloc(0);

/** What a copy in a loop costs less for than a call into the runtime. */
const SHORT = 48;

function copyBytes(source: Uint8Array, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > SHORT) {
    (source as Buffer).copy(target, at, start, end);
    return;
  }
  for (let from = start; from < end; from++) target[at++] = source[from] as number;
}

/** What one connection adds to a PUBLISH (MQTT 5): written behind the message's own properties (broker §9.9). */
export interface PublishAdditions {
  /** Replaces the message's own, or adds one; undefined: the message has none left to say. */
  readonly messageExpiryInterval: number | undefined;
  readonly topicAlias: number | undefined;
  /** Topic goes out empty, because the alias stands for it (3.3.2.3.4). */
  readonly omitTopic: boolean;
  readonly subscriptionIdentifier: number | undefined;
}

const scratch = new Writer();

/**
 * Collects what goes to one peer, for one write a turn. Small things are copied into slabs, large payloads are kept by
 * reference; `take()` hands everything over and starts anew. An idle one holds no memory.
 */
export class OutputBuffer {
  #slab: Buffer = NOTHING;
  #from = 0;
  #at = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #slabSize = SMALLEST_SLAB;

  /** Bytes collected and not taken. */
  get size(): number {
    return this.#partBytes + this.#at - this.#from;
  }

  /**
   * Everything collected, in order, up to about `limit` bytes (a single large payload is never cut).
   * The caller owns what it gets.
   */
  take(limit = Number.POSITIVE_INFINITY): Uint8Array[] {
    this.#seal();
    const parts = this.#parts;
    if (this.#partBytes <= limit || parts.length === 1) {
      // Next time about as much as this time: the slab grows with the traffic and shrinks when it is gone.
      this.#slabSize = Math.max(
        SMALLEST_SLAB,
        Math.min(LARGEST_SLAB, 2 ** Math.ceil(Math.log2(this.#partBytes + 1))),
      );
      this.#parts = [];
      this.#partBytes = 0;
      this.#slab = NOTHING;
      this.#from = 0;
      this.#at = 0;
      return parts;
    }
    let bytes = 0;
    let count = 0;
    while (count < parts.length && (count === 0 || bytes + (parts[count] as Uint8Array).length <= limit)) {
      bytes += (parts[count] as Uint8Array).length;
      count++;
    }
    this.#partBytes -= bytes;
    return parts.splice(0, count);
  }

  #seal(): void {
    if (this.#at === this.#from) return;
    this.#parts.push(this.#slab.subarray(this.#from, this.#at));
    this.#partBytes += this.#at - this.#from;
    this.#from = this.#at;
  }

  /** Room for `count` bytes in one piece; returns where it starts. The caller writes all of it. */
  #reserve(count: number): number {
    if (this.#at + count > this.#slab.length) {
      this.#seal();
      if (this.#slab.length > 0) this.#slabSize = Math.min(LARGEST_SLAB, this.#slabSize * 2);
      this.#slab = Buffer.allocUnsafeSlow(Math.max(count, this.#slabSize));
      this.#from = 0;
      this.#at = 0;
    }
    const at = this.#at;
    this.#at = at + count;
    return at;
  }

  /** An encoded packet. Large ones are kept by reference and must not change. */
  bytes(bytes: Uint8Array): void {
    this.#payload(bytes, 0, bytes.length);
  }

  #payload(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > LARGEST_COPIED_PAYLOAD) {
      this.#seal();
      this.#parts.push(source.subarray(start, end));
      this.#partBytes += length;
      return;
    }
    const at = this.#reserve(length);
    copyBytes(source, start, end, this.#slab, at);
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP in its shortest form (3.4 to 3.7). */
  acknowledgement(type: number, packetId: number, reasonCode: number, version: ProtocolVersion): void {
    const long = version === 5 && reasonCode !== 0;
    const at = this.#reserve(long ? 5 : 4);
    const slab = this.#slab;
    slab[at] = (type << 4) | (type === PacketType.PUBREL ? 2 : 0);
    slab[at + 1] = long ? 3 : 2;
    slab[at + 2] = packetId >>> 8;
    slab[at + 3] = packetId;
    if (long) slab[at + 4] = reasonCode;
  }

  /**
   * A PUBLISH made of parts: `topic` with its two bytes of length in front, `properties` encoded with their length in
   * front (empty before MQTT 5), and the payload `source[start, end)`.
   */
  publish(
    flags: number,
    topic: Uint8Array,
    packetId: number,
    properties: Uint8Array,
    source: Uint8Array,
    start: number,
    end: number,
  ): void {
    const head = topic.length + (packetId === 0 ? 0 : 2) + properties.length;
    const length = head + end - start;
    const copied = end - start <= LARGEST_COPIED_PAYLOAD ? end - start : 0;
    let at = this.#reserve(1 + lengthBytes(length) + head + copied);
    const slab = this.#slab;
    slab[at++] = 0x30 | flags;
    if (length < 128) slab[at++] = length;
    else at = writeVarint(slab, at, length);
    copyBytes(topic, 0, topic.length, slab, at);
    at += topic.length;
    if (packetId !== 0) {
      slab[at++] = packetId >>> 8;
      slab[at++] = packetId;
    }
    if (properties.length > 0) {
      copyBytes(properties, 0, properties.length, slab, at);
      at += properties.length;
    }
    if (copied === 0) this.#payload(source, start, end);
    else copyBytes(source, start, end, slab, at);
  }

  /**
   * A received PUBLISH going on to a subscriber.
   *
   * @param additions What this connection puts in (MQTT 5 only); undefined lets the bytes pass as they came where
   *   versions and Packet Identifier allow it.
   */
  forward(
    frame: PublishFrame,
    version: ProtocolVersion,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
    additions: PublishAdditions | undefined,
  ): void {
    const flags = publishFlags(qos, retain, dup);
    const sameLayout =
      (version === 5) === (frame.protocolVersion === 5) && (packetId === 0) === (frame.packetId === 0);
    if (
      sameLayout &&
      additions === undefined &&
      frame.payloadStart - frame.frameStart < LARGEST_COPIED_PAYLOAD
    ) {
      this.#forwardAsReceived(frame, flags, packetId);
      return;
    }
    scratch.reset();
    if (version === 5) writeForwardedProperties(scratch, frame.properties, additions);
    const properties = scratch.buffer.subarray(0, scratch.length);
    const topic =
      additions?.omitTopic === true
        ? EMPTY_STRING
        : frame.source.subarray(frame.topicStart - 2, frame.topicEnd);
    this.publish(flags, topic, packetId, properties, frame.source, frame.payloadStart, frame.end);
  }

  #forwardAsReceived(frame: PublishFrame, flags: number, packetId: number): void {
    const { source, frameStart, payloadStart, end } = frame;
    const small = end - payloadStart <= LARGEST_COPIED_PAYLOAD;
    const copyEnd = small ? end : payloadStart;
    const at = this.#reserve(copyEnd - frameStart);
    const slab = this.#slab;
    copyBytes(source, frameStart, copyEnd, slab, at);
    slab[at] = 0x30 | flags;
    if (packetId !== 0) {
      const idAt = at + frame.topicEnd - frameStart;
      slab[idAt] = packetId >>> 8;
      slab[idAt + 1] = packetId;
    }
    if (!small) this.#payload(source, payloadStart, end);
  }
}

/** A zero-length UTF-8 Encoded String. */
const EMPTY_STRING = Buffer.from([0, 0]);

/** The message's own properties in the order received, then those of this connection (broker §9.9). */
function writeForwardedProperties(
  writer: Writer,
  own: Properties,
  additions: PublishAdditions | undefined,
): void {
  const properties: Property[] = own.filter((entry) => !CONNECTION_PROPERTIES.has(entry.name));
  if (additions?.messageExpiryInterval !== undefined) {
    properties.push({ name: 'messageExpiryInterval', value: additions.messageExpiryInterval });
  }
  if (additions?.topicAlias !== undefined)
    properties.push({ name: 'topicAlias', value: additions.topicAlias });
  if (additions?.subscriptionIdentifier !== undefined) {
    properties.push({ name: 'subscriptionIdentifier', value: additions.subscriptionIdentifier });
  }
  writeProperties(writer, properties);
}

/** [MQTT-3.3.2-7]: an alias never passes from one connection to another; the others are written anew. */
const CONNECTION_PROPERTIES: ReadonlySet<string> = new Set([
  'messageExpiryInterval',
  'topicAlias',
  'subscriptionIdentifier',
]);
