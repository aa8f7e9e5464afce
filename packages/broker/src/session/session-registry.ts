import { DueQueue } from '../due-queue.js';
import type { Engine } from '../engine.js';
import { leaveTree } from './leaving.js';
import { NEVER, Session } from './session.js';

/** All sessions by Client Identifier, connected and not [MQTT-3.1.3-2] [MQTT311-3.1.3-2]. */
export class SessionRegistry {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, Session>();
  /** Offline sessions that will expire, so that a sweep does not look at every session. */
  readonly #expiring = new DueQueue<Session>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  values(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /**
   * The session for a client that connects: the one there was, or a new one [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-6]
   * [MQTT-3.1.4-4] [MQTT311-3.1.2-4] [MQTT311-3.1.2-6] [MQTT311-3.1.4-3].
   */
  open(clientId: string, cleanStart: boolean): { readonly session: Session; readonly present: boolean } {
    const known = this.#sessions.get(clientId);
    if (known !== undefined) {
      this.#expiring.delete(known);
      if (!cleanStart) return { session: known, present: true };
      this.end(known);
    }
    const session = new Session(clientId, this.#engine);
    this.#sessions.set(clientId, session);
    return { session, present: false };
  }

  /** Seconds that it is kept without a connection: what its client asked for, at most what the configuration allows. */
  lifetime(session: Session): number {
    const limit = this.#engine.settings.persistentClientExpiration ?? Number.POSITIVE_INFINITY;
    const asked = session.expiryInterval >= NEVER ? Number.POSITIVE_INFINITY : session.expiryInterval;
    return Math.min(asked, limit);
  }

  /**
   * Its connection is gone: ends it, or lets its expiry begin (4.1), and not before [MQTT-3.1.2-23] [MQTT-4.1.0-1]
   * [MQTT-4.1.0-2] [MQTT311-4.1.0-1] [MQTT311-4.1.0-2].
   */
  disconnected(session: Session): void {
    session.detach();
    if (!session.persistent) {
      this.end(session);
      return;
    }
    session.offlineSince = this.#engine.clock.now();
    this.#setDue(session, session.offlineSince);
    session.saved?.changed();
  }

  #setDue(session: Session, since: number): void {
    const seconds = this.lifetime(session);
    if (seconds === Number.POSITIVE_INFINITY) this.#expiring.delete(session);
    else this.#expiring.set(session, since + seconds * 1000);
  }

  /** Takes one back that an earlier process had, without a connection. */
  restore(session: Session): void {
    this.#sessions.set(session.clientId, session);
    // Its client was connected when that process died: it is offline since now.
    if (session.offlineSince === undefined) this.disconnected(session);
    else this.#setDue(session, session.offlineSince);
  }

  /** Other settings are in force: they hold for sessions that are there already, offline ones too. */
  settingsChanged(): void {
    for (const session of this.#sessions.values()) {
      session.settingsChanged();
      if (session.offlineSince !== undefined) this.#setDue(session, session.offlineSince);
    }
  }

  /** Removes a session with all that belongs to it. */
  end(session: Session): void {
    session.clear();
    leaveTree(this.#engine, session.subscriptions);
    this.#expiring.delete(session);
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
  }

  sweep(now: number): void {
    // Strictly more than the interval has passed (broker §9.4).
    for (let session = this.#expiring.take(now - 1); session; session = this.#expiring.take(now - 1)) {
      this.#engine.log.notice(`Expiring client ${session.clientId} due to timeout.`);
      this.#engine.counters.sessionsExpired++;
      this.end(session);
    }
  }
}
