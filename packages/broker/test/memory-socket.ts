import { Duplex } from 'node:stream';

/** Counts what moved, so that a test can wait until nothing moves any more. */
export class Traffic {
  moves = 0;
}

/**
 * One end of a connection without a network. Like an accepted TCP socket it ends its own side when the other side
 * ends, and destroying it looks like an end to the other side.
 */
export class MemorySocket extends Duplex {
  #other: MemorySocket | undefined;
  #stalled = false;
  #held: (() => void) | undefined;

  private constructor(readonly traffic: Traffic) {
    super({ allowHalfOpen: false });
  }

  static pair(traffic: Traffic): [MemorySocket, MemorySocket] {
    const one = new MemorySocket(traffic);
    const other = new MemorySocket(traffic);
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  /** From now on this end takes nothing, like a program that does not read and whose buffers are full. */
  stall(): void {
    if (this.#other !== undefined) this.#other.#stalled = true;
  }

  /** It reads again. */
  unstall(): void {
    const other = this.#other;
    if (other === undefined) return;
    other.#stalled = false;
    const held = other.#held;
    other.#held = undefined;
    held?.();
  }

  override _read(): void {}

  override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
    if (this.#stalled) {
      this.#held = () => this._write(chunk, encoding, done);
      return;
    }
    this.traffic.moves++;
    // A copy: as with a network, nobody sees what the other side does to its buffers afterwards.
    if (this.#other?.destroyed === false) this.#other.push(Buffer.from(chunk));
    done();
  }

  override _final(done: () => void): void {
    this.#endOther();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#endOther();
    done(error);
  }

  #endOther(): void {
    this.traffic.moves++;
    const other = this.#other;
    if (other === undefined) return;
    this.#other = undefined;
    if (!other.destroyed && !other.readableEnded) other.push(null);
  }
}
