/** Somebody who may have more to do than fits into one turn of the event loop. */
export interface Worker {
  /** Works until `WorkQueue.spent()` says so, and adds itself again where there is more. */
  work(): void;
}

/** Milliseconds that long work may take in a turn of the event loop in which somebody was served who wants little. */
const SHORT = 0.02;
/** And when nobody has come for long: then large batches are worth more than quick answers. */
const LONG = 8;
/** And the messages of a client that sends little, however many receive each. */
const BROAD = 1;
/** Units of work after which the clock is looked at, and four times as many in shares from BROAD on. */
const LOOK = 16;
/** What comes in chunks up to this size, in bytes, never waits for those who send much. */
export const LITTLE = 2048;

/**
 * Shares the event loop by work: whoever has more to do than a turn allows stands in line here, and those who want
 * little are served between two turns at once. In each turn all who stand in line get one share together, in rotation,
 * so that nobody waits longer because they are many.
 *
 * A share is SHORT in the turn in which somebody was served who wants little, because he may come again with the answer,
 * and twice as long in each turn after it, up to LONG. So whoever comes every so often waits for half of that at most.
 *
 * Time is only looked at once in a while: `left` counts down by the units of work that were done.
 */
export class WorkQueue {
  /** Units until the clock is looked at: a packet, a receiver, a step. */
  left = LOOK;
  readonly #now: () => number;
  #line: Worker[] = [];
  /** Of those in line, in this turn. */
  #limit = LONG;
  /** Of whoever works now. */
  #share = LONG;
  /** When the share that is being used up began. */
  #since = 0;
  /** When the first chunk of this turn came; undefined: none has come yet. */
  #turnSince: number | undefined;
  /** The clock has been looked at in the share that is being used up. */
  #looked = false;
  /** Somebody has sent little in this turn. */
  #littleCame = false;
  /** Somebody who wants little was served in this turn. */
  #served = false;

  /** @param now Milliseconds of a clock that is never set. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get waiting(): boolean {
    return this.#line.length > 0;
  }

  /** There is long work, nobody has sent little in this turn, and nobody by habit for long. */
  get unhurried(): boolean {
    return this.waiting && !this.#littleCame && this.#limit === LONG;
  }

  /** Puts somebody at the end of the line. */
  add(worker: Worker): void {
    this.#line.push(worker);
  }

  /** A chunk of so many bytes has come. Whether it may be handled now; otherwise its turn comes in the line. */
  admits(bytes: number): boolean {
    const now = this.#now();
    this.#turnSince ??= now;
    if (bytes <= LITTLE) {
      this.#littleCame = true;
      this.#begin(now, BROAD);
      return true;
    }
    this.#begin(this.#turnSince, LONG);
    return this.#limit === LONG && now - this.#since < LONG;
  }

  /** Somebody was served who sends little by habit: where it was little work too, he is one who waits for answers. */
  servedLittle(): void {
    if (!this.#looked) this.#served = true;
  }

  /** To be asked when `left` has run out: whether whoever works now has to give way. */
  spent(): boolean {
    this.#looked = true;
    this.left = this.#share < BROAD ? LOOK : 4 * LOOK;
    return this.#now() - this.#since >= this.#share;
  }

  #begin(since: number, share: number): void {
    this.#since = since;
    this.#share = share;
    this.#looked = false;
    this.left = LOOK;
  }

  /** The sockets that were readable have been read: those in line get their share. */
  turn(): void {
    this.#turnSince = undefined;
    this.#limit = this.#served ? SHORT : Math.min(2 * this.#limit, LONG);
    this.#served = false;
    this.#littleCame = false;
    const line = this.#line;
    if (line.length === 0) return;
    this.#line = [];
    this.#begin(this.#now(), this.#limit);
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
