import type { Duplex } from 'node:stream';
import { OutputBuffer } from '@tsmqtt/protocol';
import type { CommitGate } from './commit-gate.js';
import type { Flushable, FlushScheduler } from './flush-scheduler.js';

/**
 * Most bytes of one write. Its completion is the only sign of progress that a socket gives, and a subscriber that reads
 * 100 KB a second must show some within 10 s (broker B-10).
 */
const LARGEST_WRITE = 65_536;

/**
 * Output of one connection: collected in `buffer`, written once a turn, one write at a time, so that what a peer has
 * not taken is counted here and not hidden in the socket.
 */
export class SocketOutput implements Flushable {
  readonly buffer: OutputBuffer;
  /** What may be written: `buffer` itself, or what the gate lets through of it. */
  readonly #ready: OutputBuffer;
  readonly #gate: CommitGate | undefined;
  readonly #socket: Duplex;
  readonly #scheduler: FlushScheduler;
  readonly #progress: (bytes: number) => void;
  #scheduled = false;
  #writing = 0;
  #packets = 0;
  #end: (() => void) | undefined;
  #closed = false;

  /**
   * @param progress Called with the number of bytes that the socket took.
   * @param gate Keeps output back until the store has saved what it depends on.
   */
  constructor(
    socket: Duplex,
    scheduler: FlushScheduler,
    progress: (bytes: number) => void,
    gate: CommitGate | undefined,
  ) {
    this.#gate = gate;
    this.buffer = gate === undefined ? new OutputBuffer() : gate.buffer;
    this.#ready = gate === undefined ? this.buffer : gate.ready;
    this.#socket = socket;
    this.#scheduler = scheduler;
    this.#progress = progress;
  }

  /** Bytes that the peer's socket has not taken. */
  get backlog(): number {
    return this.#waiting() + this.#writing;
  }

  /** Bytes that have not been given to the socket. */
  #waiting(): number {
    return this.#ready.size + (this.#gate === undefined ? 0 : this.#gate.size);
  }

  /** Packets that the peer's socket has not taken, of which part has been: in proportion to the bytes. */
  get packets(): number {
    return this.#packets;
  }

  /** A packet was added to `buffer`. */
  touch(): void {
    this.#packets++;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#scheduler.add(this);
    } else if (this.#writing === 0 && this.buffer.size >= LARGEST_WRITE) {
      this.#write();
    }
  }

  flush(): void {
    this.#scheduled = false;
    this.#write();
  }

  #write(): void {
    if (this.#writing > 0 || this.#closed) return;
    this.#gate?.pass();
    const size = this.#ready.size;
    if (size === 0) {
      if (this.#waiting() === 0) this.#end?.();
      return;
    }
    const parts = this.#ready.take(LARGEST_WRITE);
    this.#writing = size - this.#ready.size;
    const socket = this.#socket;
    const last = parts.length - 1;
    if (last === 0) {
      socket.write(parts[0] as Uint8Array, this.#written);
      return;
    }
    socket.cork();
    for (let index = 0; index < last; index++) socket.write(parts[index] as Uint8Array);
    socket.write(parts[last] as Uint8Array, this.#written);
    socket.uncork();
  }

  readonly #written = (error?: Error | null): void => {
    const bytes = this.#writing;
    this.#writing = 0;
    const left = this.#waiting();
    // What is left was one packet at least, the one that did not fit.
    this.#packets = left === 0 ? 0 : Math.max(1, Math.round((this.#packets * left) / (left + bytes)));
    // An error closes the socket, and its 'close' event says so to whoever has to know.
    if (error != null || this.#closed) return;
    this.#progress(bytes);
    if (left > 0 || this.#end !== undefined) this.#write();
  };

  /** Calls `then` when everything has been handed to the kernel. */
  finish(then: () => void): void {
    this.#end = (): void => {
      this.#end = undefined;
      then();
    };
    this.#write();
  }

  /** Nothing is written any more. */
  close(): void {
    this.#closed = true;
    this.#end = undefined;
    this.#ready.take();
    this.#gate?.close();
  }
}
