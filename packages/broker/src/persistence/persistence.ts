import type { Engine } from '../engine.js';
import { Journal } from './journal.js';
import { restore } from './restore.js';
import { SavedMessages } from './saved-messages.js';
import { SavedRetained } from './saved-retained.js';
import type { Store } from './store.js';

/** What an engine saves, and where to. */
export class Persistence {
  readonly journal: Journal;
  readonly messages: SavedMessages;

  private constructor(engine: Engine, store: Store) {
    this.journal = new Journal(store, engine.scheduler, engine.log);
    this.messages = new SavedMessages(this.journal);
  }

  /**
   * Builds the engine's state from a store and saves it there from now on. Before the first connection; what has
   * expired meanwhile is gone.
   *
   * @throws Error what the store says, or that its records do not fit together.
   */
  static async start(engine: Engine, store: Store): Promise<void> {
    const persistence = new Persistence(engine, store);
    engine.persistence = persistence;
    engine.retained.saved = new SavedRetained(persistence);
    await restore(engine, persistence, store);
    const now = engine.clock.now();
    engine.sessions.sweep(now);
    engine.retained.expire(now);
  }
}
