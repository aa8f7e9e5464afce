/** Somebody who may have more to do than fits into one turn of the event loop. */
export interface Worker {
  /** Works until `WorkQueue.spent()` says so, and adds itself again where there is more. */
  work(): void;
}

/** Units of work after which the clock is looked at, where the share is LONG: four times as many. */
const LOOK = 16;
/** Milliseconds that long work may take in a turn of the event loop while somebody waits for short answers. */
const SHORT = 0.1;
/** And while nobody does: then large batches are worth more than quick answers. */
const LONG = 8;
/** Somebody who sent little this long ago is expected to come again. Milliseconds. */
const EXPECTED = 20;
/** What comes in chunks up to this size, in bytes, never waits for those who send much. */
export const LITTLE = 2048;

/**
 * Shares the event loop by work: whoever has more to do than a turn allows stands in line here, and those who want
 * little are served between two turns at once. In each turn all who stand in line get one share together, in rotation,
 * so that nobody waits longer because they are many.
 *
 * Time is only looked at once in a while: `left` counts down by the units of work that were done.
 */
export class WorkQueue {
  /** Units until the clock is looked at: a packet, a receiver, a step. */
  left = LOOK;
  readonly #now: () => number;
  #line: Worker[] = [];
  #limit = LONG;
  /** When the share that is being used up began. */
  #since = 0;
  /** When the first chunk of this turn came; undefined: none has come yet. */
  #turnSince: number | undefined;
  /** Until when somebody is expected who wants little. */
  #expectedUntil = 0;

  /** @param now Milliseconds of a clock that is never set. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get waiting(): boolean {
    return this.#line.length > 0;
  }

  /** Puts somebody at the end of the line. */
  add(worker: Worker): void {
    this.#line.push(worker);
  }

  /** A chunk of so many bytes has come. Whether it may be handled now; otherwise its turn comes in the line. */
  admits(bytes: number): boolean {
    const now = this.#now();
    this.#turnSince ??= now;
    this.left = this.#limit === SHORT ? LOOK : 4 * LOOK;
    if (bytes <= LITTLE) {
      this.#since = now;
      return true;
    }
    this.#since = this.#turnSince;
    return now - this.#since < this.#limit;
  }

  /** Somebody who sent little was served: he may wait for the answer before he sends the next. */
  servedLittle(): void {
    this.#expectedUntil = this.#since + EXPECTED;
    this.#limit = SHORT;
  }

  /** To be asked when `left` has run out: whether whoever works now has to give way. */
  spent(): boolean {
    this.left = this.#limit === SHORT ? LOOK : 4 * LOOK;
    return this.#now() - this.#since >= this.#limit;
  }

  /** The sockets that were readable have been read: those in line get their share. */
  turn(): void {
    this.#turnSince = undefined;
    const now = this.#now();
    this.#limit = now < this.#expectedUntil ? SHORT : LONG;
    this.#since = now;
    this.left = this.#limit === SHORT ? LOOK : 4 * LOOK;
    const line = this.#line;
    this.#line = [];
    for (let at = 0; at < line.length; at++) {
      if (at > 0 && this.spent()) {
        // Before those who have added themselves again.
        this.#line = [...line.slice(at), ...this.#line];
        return;
      }
      (line[at] as Worker).work();
    }
  }
}
