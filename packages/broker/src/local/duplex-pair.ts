import { Duplex } from 'node:stream';

/**
 * One end of a connection without a network. As with a socket, what is written at one end is read at the other, a write is
 * done when it was taken, and an end that is destroyed looks like an end of the stream to the other.
 */
class End extends Duplex {
  #other: End | undefined;
  /** Nothing more comes from the other end. */
  #ended = false;
  /** A write that the other end has no room for. */
  #held: ((error?: Error) => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  join(other: End): void {
    this.#other = other;
  }

  override _read(): void {
    if (this.#other !== undefined) this.#other.#goOn();
  }

  #goOn(error?: Error): void {
    const done = this.#held;
    this.#held = undefined;
    done?.(error);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const other = this.#other;
    if (other === undefined || other.destroyed || other.readableEnded) {
      done(closed());
      return;
    }
    this.#held = done;
    // A copy: as with a network, nobody sees what becomes of the writer's buffer.
    if (other.push(Buffer.from(chunk))) this.#goOn();
  }

  override _final(done: () => void): void {
    this.#endOther();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#endOther();
    if (this.#other !== undefined) this.#other.#goOn(closed());
    done(error);
  }

  #endOther(): void {
    const other = this.#other;
    if (other === undefined || other.destroyed || other.#ended) return;
    other.#ended = true;
    other.push(null);
  }
}

function closed(): Error {
  return Object.assign(new Error('the other end is closed'), { code: 'EPIPE' });
}

/** Two ends of a connection inside of this process. */
export function duplexPair(): readonly [Duplex, Duplex] {
  const one = new End();
  const other = new End();
  one.join(other);
  other.join(one);
  return [one, other];
}
