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
  readonly #run = (): void => {
    this.#armed = false;
    if (!this.work.unhurried || ++this.#held >= TOGETHER) this.#flush();
    this.work.turn();
    if (this.work.waiting || this.#waiting.length > 0) this.arm();
  };

  /** @param now Milliseconds of a clock that is never set. */
  constructor(now: () => number = () => performance.now()) {
    this.work = new WorkQueue(now);
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
  }

  /** There is work to do, or something to flush. */
  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#run);
  }
}
