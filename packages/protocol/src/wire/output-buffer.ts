import { copyBytes } from './copy-bytes.js';
import { lengthBytes } from './framer.js';
import { PacketType } from './packet-type.js';
import { publishFlags } from './packets/publish.js';
import { isOfOtherConnection, type PublishAdditions, writeForwardedProperties } from './publish-additions.js';
import type { PublishFrame } from './publish-frame.js';
import type { ProtocolVersion, QoS } from './version.js';
import { checkRemainingLength, Writer, writeVarint } from './writer.js';

/** Payloads over this many bytes go out by reference instead of being copied. */
export const LARGEST_COPIED_PAYLOAD = 1024;

const SMALLEST_SLAB = 512;
const LARGEST_SLAB = 65_536;
const NOTHING = Buffer.alloc(0);

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
  /** Bytes that went through slabs since everything was taken last. */
  #copiedBytes = 0;
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
        Math.min(LARGEST_SLAB, 2 ** Math.ceil(Math.log2(this.#copiedBytes + 1))),
      );
      this.#parts = [];
      this.#partBytes = 0;
      this.#copiedBytes = 0;
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
    this.#copiedBytes += this.#at - this.#from;
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
   * @throws UsageError `packet-too-long`
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
    this.#publish(
      flags,
      topic,
      0,
      topic.length,
      packetId,
      properties,
      0,
      properties.length,
      source,
      start,
      end,
    );
  }

  /** The same with every part as a piece of something, so that none has to be cut out first. */
  #publish(
    flags: number,
    topic: Uint8Array,
    topicStart: number,
    topicEnd: number,
    packetId: number,
    properties: Uint8Array,
    propertiesStart: number,
    propertiesEnd: number,
    source: Uint8Array,
    start: number,
    end: number,
  ): void {
    const head = topicEnd - topicStart + (packetId === 0 ? 0 : 2) + propertiesEnd - propertiesStart;
    const length = head + end - start;
    checkRemainingLength(length);
    const copied = end - start <= LARGEST_COPIED_PAYLOAD ? end - start : 0;
    let at = this.#reserve(1 + lengthBytes(length) + head + copied);
    const slab = this.#slab;
    slab[at++] = 0x30 | flags;
    if (length < 128) slab[at++] = length;
    else at = writeVarint(slab, at, length);
    copyBytes(topic, topicStart, topicEnd, slab, at);
    at += topicEnd - topicStart;
    if (packetId !== 0) {
      slab[at++] = packetId >>> 8;
      slab[at++] = packetId;
    }
    copyBytes(properties, propertiesStart, propertiesEnd, slab, at);
    at += propertiesEnd - propertiesStart;
    if (copied === 0) this.#payload(source, start, end);
    else copyBytes(source, start, end, slab, at);
  }

  /**
   * A received PUBLISH going on to a subscriber.
   *
   * @param additions What this connection puts in (MQTT 5 only; an older version has no place for it). Undefined:
   *   nothing, and the message's own properties pass, its expiry too; never the alias and the Subscription Identifiers
   *   of the connection it came from [MQTT-3.3.2-7].
   * @throws UsageError `packet-too-long`
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
    const { source, topicEnd, payloadStart, end } = frame;
    const topicStart = frame.topicStart - 2;
    if (version === 5 && (additions !== undefined || frame.properties.some(isOfOtherConnection))) {
      scratch.reset();
      writeForwardedProperties(scratch, frame.properties, additions);
      const put = scratch.buffer;
      if (additions?.omitTopic === true) {
        this.#publish(flags, ZERO, 0, 2, packetId, put, 0, scratch.length, source, payloadStart, end);
      } else {
        const size = scratch.length;
        this.#publish(flags, source, topicStart, topicEnd, packetId, put, 0, size, source, payloadStart, end);
      }
      return;
    }
    const from5 = frame.protocolVersion === 5;
    const idBytes = frame.packetId === 0 ? 0 : 2;
    if ((version === 5) === from5 && (packetId === 0) === (idBytes === 0)) {
      if (payloadStart - frame.frameStart < LARGEST_COPIED_PAYLOAD) {
        this.#forwardAsReceived(frame, flags, packetId);
        return;
      }
    }
    // The properties are the message's own bytes, or none, which MQTT 5 says with a length of 0.
    const passing = version === 5 && from5;
    const properties = passing ? source : ZERO;
    const first = passing ? topicEnd + idBytes : 0;
    const last = passing ? payloadStart : version === 5 ? 1 : 0;
    this.#publish(
      flags,
      source,
      topicStart,
      topicEnd,
      packetId,
      properties,
      first,
      last,
      source,
      payloadStart,
      end,
    );
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

/** A zero-length UTF-8 Encoded String, and with its first byte a zero Property Length. */
const ZERO = Buffer.from([0, 0]);
