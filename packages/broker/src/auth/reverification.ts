import type { Connection } from '../connection/connection.js';
import { Phase } from '../connection/phase.js';
import type { Engine } from '../engine.js';
import { authenticate } from './authenticate.js';

/**
 * After a reload: closes clients that would not be let in any more, without their will (broker §4.8). One check at a
 * time, so that many clients neither fill the queue of checks (broker B-12) nor escape because it is full.
 */
export class Reverification {
  readonly #engine: Engine;
  readonly #waiting = new Set<Connection>();
  #pass: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** All who are connected now; resolves when they have been checked, but for those whose check was `busy`. */
  async start(): Promise<void> {
    for (const connection of this.#engine.connections) this.#waiting.add(connection);
    await this.goOn();
  }

  /** Somebody whom a reload did not find connected. */
  check(connection: Connection): Promise<void> {
    this.#waiting.add(connection);
    return this.goOn();
  }

  /** Looks again at those whose check was `busy`. */
  goOn(): Promise<void> {
    if (this.#waiting.size === 0) return this.#pass ?? Promise.resolve();
    this.#pass ??= this.#run().finally(() => {
      this.#pass = undefined;
    });
    return this.#pass;
  }

  async #run(): Promise<void> {
    const busy: Connection[] = [];
    // Grows while it is walked where another reload comes in between.
    for (const connection of this.#waiting) {
      this.#waiting.delete(connection);
      if (connection.phase !== Phase.CONNECTED) continue;
      const { secrets } = connection.realm;
      const { authentication, credentials } = connection;
      const verdict = await (authentication?.verify() ?? authenticate(connection, credentials));
      if (connection.realm.secrets !== secrets) this.#waiting.add(connection);
      else if (verdict === 'refused') connection.close('reauthentication');
      else if (verdict === 'busy') busy.push(connection);
    }
    for (const connection of busy) this.#waiting.add(connection);
  }
}
