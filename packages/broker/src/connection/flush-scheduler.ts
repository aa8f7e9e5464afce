import { Vigil } from './vigil.js';
import { WorkQueue } from './work-queue.js';

/** Something that has collected output. */
export interface Flushable {
  flush(): void;
}

/** Turns in a row of nothing but long work, without hurry, whose output leaves together. */
const TOGETHER = 4;

/**
 * Calls everybody who has something to do once, at the end of the turn of the event loop: after all sockets that were
 * readable have been read, so that what they caused leaves in one write for each peer. Long work comes behind it, and
 * where nobody waits for quick answers, output of several turns of that leaves in one write too.
 */
export class FlushScheduler {
  /** What does not fit into one turn. */
  readonly work: WorkQueue;
  #waiting: Flushable[] = [];
  #armed = false;
  #held = 0;
  readonly #vigil: Vigil;
  readonly #soon: (call: () => void) => void;
  readonly #run = (): void => {
    this.#armed = false;
    if (!this.work.unhurried || ++this.#held >= TOGETHER) this.#flush();
    this.work.turn();
    if (this.work.waiting || this.#waiting.length > 0) this.arm();
  };

  /**
   * @param now Milliseconds of a clock that is never set.
   * @param soon Calls when the sockets that are readable have been read.
   */
  constructor(now: () => number = () => performance.now(), soon: (call: () => void) => void = setImmediate) {
    this.work = new WorkQueue(now);
    this.#soon = soon;
    this.#vigil = new Vigil(soon, () => this.#armed);
  }

  add(one: Flushable): void {
    this.#waiting.push(one);
    this.arm();
  }

  #flush(): void {
    this.#held = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.flush();
    if (waiting.length > 0) this.#vigil.begin();
  }

  /** There is work to do, or something to flush. */
  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#soon(this.#run);
  }
}
