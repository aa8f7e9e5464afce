import type { FlushScheduler } from '../connection/flush-scheduler.js';
import type { Worker } from '../connection/work-queue.js';
import type { RetainedReplay } from './retained-replay.js';

/**
 * Steps that are taken at once in a turn of the event loop, for all sessions together: most filters find little, and then
 * nothing has to wait behind it.
 */
const AT_ONCE = 256;
/** Steps that one session gets before the next has its turn. */
const SLICE = 32;

/**
 * Shares the event loop among the sessions that look for retained messages: a Topic Filter that goes over a million
 * topics takes many turns, in which everybody else is served too.
 */
export class ReplayTurns implements Worker {
  readonly #scheduler: FlushScheduler;
  readonly #waiting = new Set<RetainedReplay>();
  #left = AT_ONCE;
  #queued = false;

  constructor(scheduler: FlushScheduler) {
    this.#scheduler = scheduler;
  }

  /** Lets a session go on: now, as far as this turn goes, and in later turns. */
  goOn(replay: RetainedReplay): void {
    if (this.#waiting.has(replay)) return;
    if (this.#left > 0) this.#left -= replay.advance(this.#left);
    if (replay.ready) this.#waiting.add(replay);
    // For another turn's AT_ONCE too.
    this.#queue();
  }

  /** Worker: one slice for each in rotation, as long as there is time. */
  work(): void {
    this.#queued = false;
    this.#left = AT_ONCE;
    for (const replay of this.#waiting) {
      // Where it is not finished it comes again behind all others, still in this loop.
      this.#waiting.delete(replay);
      replay.advance(SLICE);
      if (replay.ready) this.#waiting.add(replay);
      if (this.#scheduler.work.spent()) break;
    }
    if (this.#waiting.size > 0) this.#queue();
  }

  #queue(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.#scheduler.work.add(this);
    this.#scheduler.arm();
  }
}
