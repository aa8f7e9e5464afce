import { copyBytes } from '@tsmqtt/protocol';

/** Takes bytes to print, in order. Copies what it is given before it returns: sources are reused. */
export interface ByteSink {
  bytes(source: Uint8Array): void;
  /** `source[start, end)`, without a view of it being made. */
  piece(source: Buffer, start: number, end: number): void;
  byte(value: number): void;
  /** Text as UTF-8. */
  text(text: string): void;
}

const MOST_BYTES_KEPT = 1024 * 1024;

/** A sink that keeps what it gets until it is emptied, and grows as needed. */
export class ByteBuffer implements ByteSink {
  readonly #initialBytes: number;
  #room: Buffer;
  #length = 0;

  constructor(initialBytes = 1024) {
    this.#initialBytes = initialBytes;
    this.#room = Buffer.allocUnsafe(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  bytes(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#room.set(source, this.#length);
    this.#length += source.length;
  }

  piece(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    copyBytes(source, start, end, this.#room, this.#length);
    this.#length += end - start;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#room[this.#length++] = value;
  }

  text(text: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    this.#reserve(text.length * 3);
    this.#length += this.#room.write(text, this.#length);
  }

  /** What it has: a view that holds until the next call. */
  view(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    // One large message must not hold its memory for ever.
    if (this.#room.length > MOST_BYTES_KEPT) this.#room = Buffer.allocUnsafe(this.#initialBytes);
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#room.length) return;
    const room = Buffer.allocUnsafe(Math.max(needed, this.#room.length * 2));
    room.set(this.view());
    this.#room = room;
  }
}
