import { WorkQueue } from './work-queue.js';

/** Something that has collected output. */
export interface Flushable {
  flush(): void;
}

/**
 * Calls everybody who has something to do once, at the end of the turn of the event loop: after all sockets that were
 * readable have been read, so that what they caused leaves in one write for each peer. Long work comes behind it.
 */
export class FlushScheduler {
  /** What does not fit into one turn. */
  readonly work: WorkQueue;
  #waiting: Flushable[] = [];
  #armed = false;
  readonly #run = (): void => {
    this.#armed = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.flush();
    this.work.turn();
    if (this.work.waiting) this.arm();
  };

  /** @param now Milliseconds of a clock that is never set. */
  constructor(now: () => number = () => performance.now()) {
    this.work = new WorkQueue(now);
  }

  add(one: Flushable): void {
    this.#waiting.push(one);
    this.arm();
  }

  /** There is work to do, or something to flush. */
  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#run);
  }
}
