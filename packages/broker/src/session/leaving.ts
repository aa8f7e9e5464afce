import type { Worker } from '../connection/work-queue.js';
import type { Engine } from '../engine.js';
import type { Subscription } from '../routing/subscription.js';

/** Subscriptions that are taken out of the tree at once when their session ends. */
const FEW = 64;
/** Units of work that taking one out is. */
const TAKING_OUT = 4;

/** Takes the subscriptions of a session that has ended out of the tree: those of one that had very many in several turns. */
export function leaveTree(engine: Engine, subscriptions: ReadonlyMap<string, Subscription>): void {
  if (subscriptions.size > FEW) new Leaving(engine, subscriptions.values()).later();
  else for (const subscription of subscriptions.values()) engine.tree.remove(subscription);
}

/** Until they are out they are found for messages, and their session takes none. */
class Leaving implements Worker {
  readonly #engine: Engine;
  readonly #left: Iterator<Subscription>;

  constructor(engine: Engine, left: Iterator<Subscription>) {
    this.#engine = engine;
    this.#left = left;
  }

  later(): void {
    this.#engine.work.add(this);
    this.#engine.scheduler.arm();
  }

  work(): void {
    const { tree, work } = this.#engine;
    for (let next = this.#left.next(); next.done !== true; next = this.#left.next()) {
      tree.remove(next.value);
      work.left -= TAKING_OUT;
      if (work.left > 0 || !work.spent()) continue;
      this.later();
      return;
    }
  }
}
