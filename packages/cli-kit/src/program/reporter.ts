import type { Io } from './io.js';

/**
 * Writes errors and warnings to stderr, in order. On a terminal the first word is coloured; what that takes is loaded
 * when there is something to say and not before.
 */
export class Reporter {
  readonly #io: Io;
  /** `--quiet`: what goes wrong while running is not said (cli §1.3). */
  quiet = false;
  /** Settles when everything so far was written; undefined as long as nothing had to wait. */
  #written: Promise<void> | undefined;

  constructor(io: Io) {
    this.#io = io;
  }

  /** A runtime error or warning: one or more whole lines. */
  report(text: string | Uint8Array): void {
    if (!this.quiet) this.print(text);
  }

  /** The same, whatever `--quiet` says: argument errors and the usage hint. */
  print(text: string | Uint8Array): void {
    if (text.length === 0) return;
    const { stderr, env } = this.#io;
    if (!stderr.isTTY || env.NO_COLOR) {
      stderr.write(text);
      return;
    }
    const painted = (this.#written ?? Promise.resolve())
      .then(() => import('./paint.js'))
      .then(({ paintErrors }) => {
        stderr.write(paintErrors(Buffer.from(text).toString()));
      });
    this.#written = painted;
  }

  /** Everything reported so far has been given to stderr. */
  async settled(): Promise<void> {
    await this.#written;
  }
}
