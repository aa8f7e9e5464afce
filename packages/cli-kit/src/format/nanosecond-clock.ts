import { performance } from 'node:perf_hooks';

/** A wall clock. After `read()` the two fields hold that reading; no object per reading. */
export interface NanosecondClock {
  read(): void;
  /** Whole seconds since 1970. */
  readonly seconds: number;
  /** Nanoseconds of the second, 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/** Largest part of a millisecond that still belongs to it. */
const ALMOST_ONE = 1 - 1e-6;

/**
 * Refines a clock of whole milliseconds with the monotonic timer: never another millisecond than the clock says, so
 * steps of the clock and a suspended machine do no harm; what is below a millisecond comes from the timer.
 */
export class WallClock implements NanosecondClock {
  seconds = 0;
  nanoseconds = 0;
  readonly #milliseconds: () => number;
  readonly #timer: () => number;
  /** A moment on both: differences to it are small enough for a double to keep nanoseconds. */
  #timerAnchor: number;
  readonly #wallAnchor: number;

  constructor(milliseconds: () => number, timer: () => number = () => performance.now()) {
    this.#milliseconds = milliseconds;
    this.#timer = timer;
    this.#timerAnchor = timer();
    this.#wallAnchor = milliseconds();
  }

  read(): void {
    const timer = this.#timer();
    const wall = this.#milliseconds();
    let part = timer - this.#timerAnchor - (wall - this.#wallAnchor);
    if (part < 0) {
      this.#timerAnchor += part;
      part = 0;
    } else if (part > ALMOST_ONE) {
      this.#timerAnchor += part - ALMOST_ONE;
      part = ALMOST_ONE;
    }
    this.seconds = Math.floor(wall / 1000);
    this.nanoseconds = (wall - this.seconds * 1000) * 1e6 + Math.floor(part * 1e6);
  }
}
