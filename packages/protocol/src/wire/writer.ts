import { UsageError } from '../errors.js';
import { MAXIMUM_REMAINING_LENGTH } from './framer.js';

const INITIAL_SIZE = 256;
const LARGEST_KEPT = 65_536;

/**
 * Writes the data representations of 1.5 into one growing buffer. Lengths that stand in front of what they count are
 * filled in afterwards: `fork()` leaves room for the shortest, `join()` writes the real one.
 */
export class Writer {
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_SIZE);
  #position = 0;

  get buffer(): Buffer {
    return this.#buffer;
  }

  get length(): number {
    return this.#position;
  }

  /** Starts anew, keeping the memory unless one large packet blew it up. */
  reset(): void {
    this.#position = 0;
    if (this.#buffer.length > LARGEST_KEPT) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_SIZE);
  }

  /** Leaves room for so many bytes. */
  skip(count: number): void {
    this.#reserve(count);
    this.#position += count;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#position++] = value;
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#buffer[this.#position++] = value >>> 8;
    this.#buffer[this.#position++] = value;
  }

  int32(value: number): void {
    this.int16(Math.floor(value / 65_536));
    this.int16(value % 65_536);
  }

  /** Variable Byte Integer (1.5.5), 0 to 268,435,455. */
  varint(value: number): void {
    this.#reserve(4);
    this.#position = writeVarint(this.#buffer, this.#position, value);
  }

  /** UTF-8 Encoded String (1.5.4). @throws UsageError `string-too-long` */
  string(text: string): void {
    const length = Buffer.byteLength(text);
    if (length > 65_535)
      throw new UsageError('string-too-long', 'a string in a packet has at most 65535 bytes');
    this.int16(length);
    this.#reserve(length);
    this.#buffer.write(text, this.#position);
    this.#position += length;
  }

  /** Binary Data (1.5.6). @throws UsageError `binary-too-long` */
  binary(bytes: Uint8Array): void {
    if (bytes.length > 65_535)
      throw new UsageError('binary-too-long', 'binary data in a packet has at most 65535 bytes');
    this.int16(bytes.length);
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#position);
    this.#position += bytes.length;
  }

  /** Leaves one byte for a Variable Byte Integer; pass what it returns to `join()`. */
  fork(): number {
    this.byte(0);
    return this.#position;
  }

  /** Writes the number of bytes since `fork()` in front of them. @throws UsageError `packet-too-long` */
  join(mark: number): void {
    const length = this.#position - mark;
    checkRemainingLength(length);
    if (length > 127) {
      this.#reserve(3);
      const shift = length < 16_384 ? 1 : length < 2_097_152 ? 2 : 3;
      this.#buffer.copyWithin(mark + shift, mark, this.#position);
      this.#position += shift;
    }
    writeVarint(this.#buffer, mark - 1, length);
  }

  #reserve(count: number): void {
    const needed = this.#position + count;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#position);
    this.#buffer = larger;
  }
}

/** @throws UsageError `packet-too-long`: more than a Variable Byte Integer can say (1.5.5). */
export function checkRemainingLength(length: number): void {
  if (length > MAXIMUM_REMAINING_LENGTH)
    throw new UsageError('packet-too-long', 'a packet has at most 268435455 bytes after its header');
}

/** Writes a Variable Byte Integer and returns the position behind it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  while (value > 127) {
    target[at++] = (value & 0x7f) | 0x80;
    value = Math.floor(value / 128);
  }
  target[at++] = value;
  return at;
}
