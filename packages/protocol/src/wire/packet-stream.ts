import { decodeFrame } from './decode.js';
import { Framer, type HeaderCheck } from './framer.js';
import type { Packet } from './packet.js';
import type { ProtocolVersion } from './version.js';

/** What a sink says of the packet it was given. */
export const Verdict = {
  /** Taken; go on. */
  CONTINUE: 0,
  /** Taken; the rest is kept for `resume()`. */
  PAUSE: 1,
  /** Not taken: it is given again, first thing, by `resume()`. */
  RETRY: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface PacketSink {
  /** Called for every packet, in order. Payloads are views: copy to keep. */
  packet(packet: Packet): Verdict;
}

/**
 * The seam between bytes and state: chunks in, packets out, all packets of a chunk in one pass. Does no I/O. What it
 * throws are the two peer errors and what the sink throws; after that nothing is given any more, whatever comes.
 */
export class PacketStream {
  /** Set by whoever handles CONNECT; decides how packets are read. */
  version: ProtocolVersion = 4;
  readonly #framer: Framer;
  readonly #sink: PacketSink;
  #paused = false;
  #running = false;
  #failed = false;

  constructor(sink: PacketSink, maximumPacketSize?: number, check?: HeaderCheck) {
    this.#sink = sink;
    this.#framer = new Framer(maximumPacketSize, check);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes that wait for `resume()`, those of a packet to be given again too, or for the rest of their packet. */
  get pendingBytes(): number {
    return this.#framer.pendingBytes;
  }

  /** It is paused, or in the middle of giving, and there are bytes left. */
  get holding(): boolean {
    return (this.#paused || this.#running) && this.#framer.pendingBytes > 0;
  }

  receive(chunk: Buffer): void {
    if (this.#failed) return;
    this.#framer.push(chunk);
    this.#run();
  }

  /** Nothing more is given until `resume()`; takes effect after the packet that is being handled. */
  pause(): void {
    this.#paused = true;
  }

  /** Gives what is left of the chunks received so far. */
  resume(): void {
    this.#paused = false;
    this.#run();
  }

  /** The current packet's body has this many bytes, for answers that depend on its form. */
  get bodyLength(): number {
    return this.#framer.end - this.#framer.start;
  }

  /** Where the current packet stands, for looking at one that does not decode. */
  get current(): Pick<Framer, 'source' | 'frameStart' | 'start' | 'end'> {
    return this.#framer;
  }

  #run(): void {
    // A sink that calls resume() is already inside the loop that will go on.
    if (this.#running || this.#failed) return;
    this.#running = true;
    const framer = this.#framer;
    try {
      while (!this.#paused && framer.next()) {
        const packet = decodeFrame(framer.source, framer.frameStart, framer.start, framer.end, this.version);
        const verdict = this.#sink.packet(packet);
        if (verdict === Verdict.CONTINUE) continue;
        if (verdict === Verdict.RETRY) framer.rewind();
        this.#paused = true;
      }
    } catch (error) {
      this.#failed = true;
      framer.drop();
      throw error;
    } finally {
      this.#running = false;
    }
  }
}
