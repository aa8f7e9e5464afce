import type { Duplex } from 'node:stream';
import { ClientError } from '../client-error.js';
import type { ClientSession } from '../session/client-session.js';
import { meaning } from '../transport/connector.js';

/** How long the peer may take to close its side after DISCONNECT (cli P-21). */
const LINGER_MS = 1000;
const LONGEST_TIMER_MS = 2_147_483_647;

/** Milliseconds that only go forward. Not `performance`: what it loads costs a millisecond of every start. */
const monotonicTime = (): number => process.uptime() * 1000;

/** Binds a session to one connection: moves the bytes, keeps the time. */
export class Link {
  readonly #duplex: Duplex;
  readonly #session: ClientSession;
  readonly #onBatchEnd: () => void;
  readonly #onDown: (error: ClientError) => void;
  #down = false;
  #flushScheduled = false;
  /** What a chunk makes us send goes out at its end: the server has a window and waits for it. */
  #receiving = false;
  #writing = false;
  #leaving = false;
  /** The connection is gone, but not everything that came on it has been given. */
  #epilogue: ClientError | undefined;
  #keepAliveTimer: NodeJS.Timeout | undefined;

  /** @param onDown Called once, when the connection ended by itself. */
  constructor(
    duplex: Duplex,
    session: ClientSession,
    onBatchEnd: () => void,
    onDown: (error: ClientError) => void,
  ) {
    this.#duplex = duplex;
    this.#session = session;
    this.#onBatchEnd = onBatchEnd;
    this.#onDown = onDown;
    duplex
      .on('data', this.#receive)
      .on('end', this.#ended)
      .on('close', this.#ended)
      .on('error', this.#broken);
  }

  /** Sends CONNECT. */
  open(): void {
    const duplex = this.#duplex;
    if (duplex.destroyed) {
      // It broke before anybody listened.
      if (duplex.errored) this.#broken(duplex.errored);
      else this.#ended();
      return;
    }
    duplex.write(this.#session.open());
  }

  readonly #receive = (chunk: Buffer): void => {
    if (this.#down) return;
    this.#receiving = true;
    try {
      this.#session.receive(chunk, monotonicTime());
      this.#batchEnd();
    } finally {
      this.#receiving = false;
      this.flush();
    }
  };

  pauseReading(): void {
    if (this.#session.paused) this.#duplex.pause();
  }

  /** Takes up reading again after a pause. */
  resume(): void {
    if (this.#down) return;
    this.#session.resume();
    this.#batchEnd();
  }

  #batchEnd(): void {
    this.#onBatchEnd();
    if (this.#down) return;
    if (this.#epilogue !== undefined) this.#lostWhenGiven(this.#epilogue);
    else if (this.#session.paused) this.#duplex.pause();
    else if (this.#duplex.isPaused()) this.#duplex.resume();
  }

  /** The session has output: writes at the end of the chunk or of this turn, or now. */
  outputReady(now: boolean): void {
    if (now) {
      this.flush();
    } else if (!this.#flushScheduled && !this.#receiving) {
      this.#flushScheduled = true;
      setImmediate(this.#flushAtEndOfTurn);
    }
  }

  readonly #flushAtEndOfTurn = (): void => {
    this.#flushScheduled = false;
    this.flush();
  };

  /** Writes the next unit, unless one is on its way: its callback goes on. */
  flush(): void {
    if (this.#down || this.#writing || this.#epilogue !== undefined) return;
    const unit = this.#session.take();
    if (unit === undefined) {
      if (this.#leaving && !this.#duplex.writableEnded) this.#duplex.end();
      return;
    }
    this.#writing = true;
    const { parts } = unit;
    const last = parts.length - 1;
    if (last > 0) this.#duplex.cork();
    for (let index = 0; index < last; index++) this.#duplex.write(parts[index]);
    this.#duplex.write(parts[last], this.#written);
    if (last > 0) this.#duplex.uncork();
  }

  readonly #written = (error?: Error | null): void => {
    // A failed write is followed by 'error' or 'close'.
    if (this.#down || error) return;
    this.#writing = false;
    this.#session.written(monotonicTime());
    this.flush();
  };

  /** Lets the session look at the clock, now and whenever it wants to. */
  keepTime(): void {
    clearTimeout(this.#keepAliveTimer);
    if (this.#down || this.#epilogue !== undefined) return;
    const wait = this.#session.checkKeepAlive(monotonicTime());
    if (this.#down || wait === Number.POSITIVE_INFINITY) return;
    this.#keepAliveTimer = setTimeout(this.#tick, Math.min(Math.max(Math.ceil(wait), 1), LONGEST_TIMER_MS));
    // The connection keeps the process alive, the timer alone must not.
    this.#keepAliveTimer.unref();
  }

  readonly #tick = (): void => this.keepTime();

  readonly #ended = (): void => {
    this.#over(new ClientError('connection-lost', 'the server closed the connection'));
  };

  readonly #broken = (cause: Error): void => {
    // A transport may know better what it was: a TLS 1.3 server refuses a certificate after the handshake.
    this.#over(meaning(cause) ?? new ClientError('connection-lost', cause.message, { cause }));
  };

  /** Nothing more will come. What came is given first, also to a session that has paused; then the end is told. */
  #over(error: ClientError): void {
    if (this.#down || this.#epilogue !== undefined) return;
    this.#epilogue = error;
    clearTimeout(this.#keepAliveTimer);
    // A stream that broke keeps what nobody has read.
    const rest: Buffer | null = this.#duplex.off('data', this.#receive).read();
    if (rest !== null) this.#receive(rest);
    else this.#lostWhenGiven(error);
  }

  #lostWhenGiven(error: ClientError): void {
    if (!this.#session.holdsInput) this.#lost(error);
  }

  #lost(error: ClientError): void {
    this.destroy();
    this.#onDown(error);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#detach();
    this.#duplex.destroy();
  }

  /** Sends a last packet, if there is one, and closes without waiting for anything. */
  abandon(farewell: Uint8Array | undefined): void {
    this.#detach();
    if (farewell === undefined) {
      this.#duplex.destroy();
      return;
    }
    const timer = setTimeout(() => this.#duplex.destroy(), LINGER_MS);
    this.#duplex.once('close', () => clearTimeout(timer));
    this.#duplex.resume().end(farewell, () => this.#duplex.destroy());
  }

  #detach(): void {
    this.#down = true;
    clearTimeout(this.#keepAliveTimer);
    const duplex = this.#duplex;
    duplex.off('data', this.#receive).off('end', this.#ended).off('close', this.#ended);
    // Errors after the end are no news, but unheard they would end the process.
    duplex.off('error', this.#broken).on('error', () => {});
  }

  /**
   * The session has said DISCONNECT: writes what waits, closes our side, discards input until the peer closes too, for
   * at most a second (cli P-21). Ends in `onDown`.
   */
  leave(): void {
    if (this.#epilogue !== undefined) {
      this.#lost(this.#epilogue);
      return;
    }
    this.#leaving = true;
    const duplex = this.#duplex;
    // The session is deaf by now; what it was given to read must not stand in the way of the peer's end.
    duplex.resume();
    duplex.once('finish', () => {
      clearTimeout(this.#keepAliveTimer);
      const timer = setTimeout(() => duplex.destroy(), LINGER_MS);
      duplex.once('close', () => clearTimeout(timer));
    });
    this.keepTime();
    this.flush();
  }
}
