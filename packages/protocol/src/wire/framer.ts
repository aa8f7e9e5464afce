import { MalformedPacketError, ProtocolError } from '../errors.js';

/** Largest Remaining Length that its four bytes can say (1.5.5, table 1-1). */
export const MAXIMUM_REMAINING_LENGTH = 268_435_455;

/** Called as soon as a Fixed Header is complete, before any of its body is kept. Throws to refuse the packet. */
export type HeaderCheck = (firstByte: number, remainingLength: number) => void;

const NOTHING = Buffer.alloc(0);
const SMALLEST_HOLD = 64;

/**
 * Cuts a stream of bytes into MQTT Control Packets.
 *
 *     Fixed Header:  byte 1            packet type (bits 7-4) and flags (bits 3-0)
 *                    bytes 2 to 5      Remaining Length, seven bits a byte, least significant first (1.5.5)
 *     then           Remaining Length bytes of body
 *
 * Whole packets are described in place, in the chunk that was pushed; only a packet that crosses chunks is copied, once.
 * Memory grows with the bytes that came, never with a length that was announced.
 */
export class Framer {
  /** Fixed Header's first byte of the current packet. */
  firstByte = 0;
  /**
   * Holds the current packet. Never reused, so views of it stay valid as long as somebody keeps them. Let go of when
   * there is no current packet: an idle connection must not keep the last chunk it got.
   */
  source: Buffer = NOTHING;
  /** Where the current packet's Fixed Header starts in `source`. */
  frameStart = 0;
  /** Where its body starts. */
  start = 0;
  /** Where it ends. */
  end = 0;

  readonly #maximumPacketSize: number;
  readonly #check: HeaderCheck | undefined;
  #chunk: Buffer = NOTHING;
  #cursor = 0;
  /** Bytes of a packet that is not complete yet. */
  #held: Buffer = NOTHING;
  #heldLength = 0;
  /** Size of the whole packet in `#held`, 0 while its header is not complete. */
  #wanted = 0;
  #again = false;

  /**
   * @param maximumPacketSize Largest packet in bytes, Fixed Header included (MQTT 5, 3.1.2.11.4).
   * @param check Further limits, by packet type.
   */
  constructor(maximumPacketSize = MAXIMUM_REMAINING_LENGTH + 5, check?: HeaderCheck) {
    this.#maximumPacketSize = maximumPacketSize;
    this.#check = check;
  }

  /** Bytes of an incomplete packet that are being kept. */
  get heldBytes(): number {
    return this.#heldLength;
  }

  /** Bytes that were pushed and not yet given as packets. */
  get pendingBytes(): number {
    const again = this.#again ? this.end - this.frameStart : 0;
    return again + this.#heldLength + this.#chunk.length - this.#cursor;
  }

  /** Takes the next chunk. Every packet of the one before must have been read with `next()`. */
  push(chunk: Buffer): void {
    if (this.#cursor < this.#chunk.length) {
      // A reader that paused gets another chunk: join them, as rarely as pausing happens.
      chunk = Buffer.concat([this.#chunk.subarray(this.#cursor), chunk]);
    }
    this.#chunk = chunk;
    this.#cursor = 0;
  }

  /** The current packet will be given again by the next `next()`. */
  rewind(): void {
    this.#again = true;
  }

  /** Forgets what was pushed and not yet given. The fields go on describing the last packet. */
  drop(): void {
    this.#chunk = NOTHING;
    this.#cursor = 0;
    this.#held = NOTHING;
    this.#heldLength = 0;
    this.#wanted = 0;
    this.#again = false;
  }

  /**
   * True: the fields describe the next whole packet. False: more bytes are needed.
   * @throws MalformedPacketError `remaining-length` when it has more than four bytes [MQTT-1.5.5-1].
   * @throws ProtocolError `packet-too-large` (0x95) when the header announces more than the limit.
   */
  next(): boolean {
    if (this.#again) {
      this.#again = false;
      return true;
    }
    if (this.#heldLength > 0) return this.#nextHeld();
    const chunk = this.#chunk;
    const at = this.#cursor;
    const limit = chunk.length;
    if (at >= limit) return this.#release();
    let bodyStart = at + 2;
    let length = bodyStart <= limit ? (chunk[at + 1] as number) : -1;
    if (length > 127) {
      length = remainingLength(chunk, at + 1, limit);
      bodyStart = at + 1 + lengthBytes(length);
    }
    if (length < 0) return this.#hold(0);
    const end = bodyStart + length;
    this.#checkHeader(chunk[at] as number, length, end - at);
    if (end > limit) return this.#hold(end - at);
    this.#cursor = end;
    return this.#found(chunk, at, bodyStart, end);
  }

  #found(source: Buffer, frameStart: number, start: number, end: number): true {
    this.firstByte = source[frameStart] as number;
    this.source = source;
    this.frameStart = frameStart;
    this.start = start;
    this.end = end;
    return true;
  }

  #checkHeader(firstByte: number, length: number, size: number): void {
    if (size > this.#maximumPacketSize) {
      throw new ProtocolError(
        'packet-too-large',
        `packet of ${size} bytes is over the limit of ${this.#maximumPacketSize}`,
        0x95,
      );
    }
    this.#check?.(firstByte, length);
  }

  /** Keeps what is left of the chunk, copied, so that a small rest does not keep a large chunk alive. */
  #hold(wanted: number): false {
    const rest = this.#chunk.length - this.#cursor;
    this.#held = Buffer.allocUnsafeSlow(Math.max(rest, Math.min(SMALLEST_HOLD, wanted || SMALLEST_HOLD)));
    this.#chunk.copy(this.#held, 0, this.#cursor);
    this.#heldLength = rest;
    this.#wanted = wanted;
    return this.#release();
  }

  #nextHeld(): boolean {
    while (this.#wanted === 0) {
      if (this.#cursor >= this.#chunk.length) return this.#release();
      this.#take(1);
      const length = this.#heldLength < 2 ? -1 : remainingLength(this.#held, 1, this.#heldLength);
      if (length < 0) continue;
      const wanted = 1 + lengthBytes(length) + length;
      this.#checkHeader(this.#held[0] as number, length, wanted);
      this.#wanted = wanted;
    }
    this.#take(Math.min(this.#wanted - this.#heldLength, this.#chunk.length - this.#cursor));
    if (this.#heldLength < this.#wanted) return this.#release();
    const held = this.#held;
    const end = this.#wanted;
    this.#held = NOTHING;
    this.#heldLength = 0;
    this.#wanted = 0;
    return this.#found(held, 0, 1 + lengthBytes(remainingLength(held, 1, end)), end);
  }

  #take(count: number): void {
    const length = this.#heldLength + count;
    if (length > this.#held.length) {
      // Doubling keeps a packet that comes byte by byte linear; the packet's own size caps it.
      const size = Math.max(length, Math.min(this.#held.length * 2, this.#wanted || SMALLEST_HOLD));
      const larger = Buffer.allocUnsafeSlow(size);
      this.#held.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    this.#chunk.copy(this.#held, this.#heldLength, this.#cursor, this.#cursor + count);
    this.#heldLength = length;
    this.#cursor += count;
  }

  /** The chunk is used up. */
  #release(): false {
    this.source = NOTHING;
    this.#chunk = NOTHING;
    this.#cursor = 0;
    return false;
  }
}

/** The Remaining Length at `at`; -1 when its last byte is not there yet. */
function remainingLength(bytes: Buffer, at: number, limit: number): number {
  let value = 0;
  let factor = 1;
  for (let index = 0; index < 4; index++) {
    if (at + index >= limit) return -1;
    const byte = bytes[at + index] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      // [MQTT-1.5.5-1]: the shortest form. A longer one is refused, so that a length has one spelling.
      if (byte === 0 && index > 0)
        throw new MalformedPacketError('remaining-length', 'Remaining Length is not in its shortest form');
      return value;
    }
    factor *= 128;
  }
  // [MQTT-1.5.5-1] and 3.1.1's 2.2.3: at most four bytes.
  throw new MalformedPacketError('remaining-length', 'Remaining Length has more than four bytes');
}

/** Bytes that a Variable Byte Integer takes (1.5.5). */
export function lengthBytes(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}
