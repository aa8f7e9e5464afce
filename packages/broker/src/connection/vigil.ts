/** Turns of the event loop in which answers are looked for without sleeping: some 50 µs. */
export const LOOKS = 32;
/** Where nobody answers that soon, it is tried at every so-many-th flush. */
export const TRY_AGAIN = 64;
/** Vigils in vain that it takes to give up, when all before were worth it. */
const TRUST = 4;

/**
 * Keeps the event loop awake for a moment after output has left. A peer with a window answers within some 10 µs, and to
 * fall asleep and be woken takes longer than that: a window of 20 moves twice as fast (docs/decisions/0020). Only as long as
 * it is worth it: where answers take longer, it costs one short vigil in many flushes.
 */
export class Vigil {
  readonly #soon: (call: () => void) => void;
  readonly #answered: () => boolean;
  #left = 0;
  #trust = 0;
  #flushes = 0;
  readonly #look = (): void => {
    if (this.#answered()) {
      this.#left = 0;
      this.#trust = Math.min(this.#trust + 1, TRUST);
    } else if (--this.#left > 0) {
      this.#soon(this.#look);
    } else if (this.#trust > 0) {
      this.#trust--;
    }
  };

  /**
   * @param soon Calls when the sockets that are readable have been read.
   * @param answered Whether something has come.
   */
  constructor(soon: (call: () => void) => void, answered: () => boolean) {
    this.#soon = soon;
    this.#answered = answered;
  }

  /** Output has left. */
  begin(): void {
    if (this.#left > 0) return;
    if (this.#trust === 0 && ++this.#flushes < TRY_AGAIN) return;
    this.#flushes = 0;
    this.#left = LOOKS;
    this.#soon(this.#look);
  }
}
