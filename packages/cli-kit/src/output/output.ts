import type { Writable } from 'node:stream';
import { copyBytes } from '@tsmqtt/protocol';

/** Room for several batches of messages; one that does not fit gets its own. */
const SLAB_BYTES = 256 * 1024;

/**
 * Bytes that may wait for the stream before the reader counts as slow. A pipe holds 64 KiB: who stopped at once where it is full
 * would do nothing while it is emptied.
 */
const MOST_WAITING = 256 * 1024;

export interface OutputEvents {
  /** The reader does not keep up: give no more until {@link ready}. */
  blocked(): void;
  ready(): void;
  /** Everything that was flushed so far has been accepted. */
  accepted(): void;
  /** The reader is gone: nothing will be accepted any more. */
  closed(): void;
}

/** Collects what is to be printed in chunks and hands each chunk over in one write, byte for byte. */
export class Output {
  readonly #stream: Writable;
  readonly #events: OutputEvents;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** What is in the slab and not flushed: [start, end). */
  #start = 0;
  #end = 0;
  #outstanding = 0;
  #blocked = false;
  #closed = false;

  constructor(stream: Writable, events: OutputEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('drain', this.#onDrain);
    stream.on('error', this.#onClosed);
  }

  /** Nothing is collected, nothing waits for the stream. */
  get idle(): boolean {
    return this.#outstanding === 0 && this.#start === this.#end;
  }

  /** Writes that the stream has not answered yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Bytes of the write in hand that a pipe or a terminal has not taken yet: what `setTimeout` of a socket goes by, too. */
  get unwritten(): number {
    const { _handle } = this.#stream as { _handle?: { writeQueueSize?: number } | null };
    return _handle?.writeQueueSize ?? 0;
  }

  /** The stream does not keep up. */
  get blocked(): boolean {
    return this.#blocked;
  }

  bytes(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#slab.set(source, this.#end);
    this.#end += source.length;
  }

  piece(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    copyBytes(source, start, end, this.#slab, this.#end);
    this.#end += end - start;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#slab[this.#end++] = value;
  }

  text(text: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    this.#reserve(text.length * 3);
    this.#end += this.#slab.write(text, this.#end);
  }

  /** Hands over what was collected. */
  flush(): void {
    if (this.#start === this.#end) return;
    const chunk = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#closed) return;
    this.#outstanding++;
    const room = this.#stream.write(chunk, this.#onWritten);
    if (!room && !this.#blocked && !this.#closed && this.#stream.writableLength >= MOST_WAITING) {
      this.#blocked = true;
      this.#events.blocked();
    }
  }

  /** Stops listening to the stream. */
  detach(): void {
    this.#stream.off('drain', this.#onDrain);
    this.#stream.off('error', this.#onClosed);
  }

  readonly #onWritten = (error?: Error | null): void => {
    this.#outstanding--;
    if (error) {
      this.#onClosed();
    } else if (this.idle) {
      // Everything is out: the slab is written anew from its start, while the processor's cache still has it.
      this.#start = 0;
      this.#end = 0;
      this.#events.accepted();
    }
  };

  readonly #onDrain = (): void => {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#events.ready();
  };

  readonly #onClosed = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.closed();
  };

  /** Makes room behind `#end`; what was flushed belongs to the stream and is never written over. */
  #reserve(length: number): void {
    if (length <= this.#slab.length - this.#end) return;
    this.flush();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
    this.#start = 0;
    this.#end = 0;
  }
}
