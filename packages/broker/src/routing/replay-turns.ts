import type { Flushable, FlushScheduler } from '../connection/flush-scheduler.js';
import type { RetainedReplay } from './retained-replay.js';

/** Levels of the retained store that are looked at in one turn of the event loop, for all sessions together. */
export const STEPS_PER_TURN = 1024;
/** Steps that one session gets before the next has its turn. */
const SLICE = 256;

/**
 * Shares the event loop among the sessions that look for retained messages: a Topic Filter that goes over a million
 * topics takes many turns, in which everybody else is served too.
 */
export class ReplayTurns implements Flushable {
  readonly #scheduler: FlushScheduler;
  readonly #waiting = new Set<RetainedReplay>();
  #left = STEPS_PER_TURN;
  #armed = false;

  constructor(scheduler: FlushScheduler) {
    this.#scheduler = scheduler;
  }

  /** Lets a session go on: now, as far as this turn goes, and in later turns. */
  goOn(replay: RetainedReplay): void {
    if (!this.#waiting.has(replay)) this.#advance(replay);
  }

  /** Flushable: a turn is over. */
  flush(): void {
    this.#armed = false;
    this.#left = STEPS_PER_TURN;
    for (const replay of this.#waiting) {
      if (this.#left === 0) break;
      // Where it is not finished it comes again behind all others, still in this loop.
      this.#waiting.delete(replay);
      this.#advance(replay);
    }
    if (this.#waiting.size > 0) this.#arm();
  }

  #advance(replay: RetainedReplay): void {
    const steps = Math.min(SLICE, this.#left);
    if (steps > 0) {
      this.#left -= replay.advance(steps);
      this.#arm();
    }
    if (replay.ready) this.#waiting.add(replay);
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#scheduler.add(this);
  }
}
