import { Right } from '../auth/access-list.js';
import type { Session } from '../session/session.js';
import { LOW_WATER } from './back-pressure.js';
import type { RetainedCursor } from './retained-cursor.js';
import type { Subscription } from './subscription.js';

/** A subscription whose retained messages are being sent. */
interface Entry {
  readonly cursor: RetainedCursor;
  /** Counts up with every SUBSCRIBE. */
  readonly order: number;
}

type Entries = Map<Subscription, Entry>;

/**
 * Retained messages for new subscriptions, sent as fast as the subscriber takes them (broker B-10) and as the event loop
 * has turns: a cursor over what was there at SUBSCRIBE, never dropped. A message that was replaced or cleared meanwhile
 * is passed over: its successor has been delivered as it came.
 */
export class RetainedReplay {
  readonly #session: Session;
  /** One at most for each subscription, in the order of SUBSCRIBE: those of QoS 1 and 2, which wait for the window. */
  readonly #windowed: Entries = new Map();
  /** Those of QoS 0, which never do (broker §9.10). */
  readonly #free: Entries = new Map();
  #started = 0;
  #advancing = false;

  constructor(session: Session) {
    this.#session = session;
  }

  get active(): boolean {
    return this.#windowed.size > 0 || this.#free.size > 0;
  }

  /** Whether there is something to do, and room for what it brings. */
  get ready(): boolean {
    return this.active && this.#next() !== undefined;
  }

  /** A subscription that is made again begins again: what was left of the first time is part of the second. */
  start(cursor: RetainedCursor, subscription: Subscription): void {
    this.stop(subscription);
    const entries = subscription.qos === 0 ? this.#free : this.#windowed;
    entries.set(subscription, { cursor, order: ++this.#started });
    this.#session.saved?.replaying(subscription, true);
  }

  /** The subscription is over: what has not been sent for it stays [MQTT-3.10.4-2]. */
  stop(subscription: Subscription): void {
    this.#windowed.delete(subscription);
    this.#free.delete(subscription);
  }

  clear(): void {
    this.#windowed.clear();
    this.#free.clear();
  }

  /** Sends what there is room and time for. */
  pump(): void {
    if (this.ready) this.#session.engine.replayTurns.goOn(this);
  }

  /** Goes on for this many steps at most, as long as there is room. How many it took. */
  advance(steps: number): number {
    if (this.#advancing) return 0;
    this.#advancing = true;
    const { engine } = this.#session;
    const now = engine.clock.now();
    let taken = 0;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [subscription, { cursor }] = next;
      while (taken < steps && this.#room(subscription) && !cursor.done) {
        taken++;
        const message = cursor.step();
        if (message === undefined || message.expiresAt <= now) continue;
        if (engine.settings.checkRetainSource && message.source?.may(Right.WRITE, message.topic) === false)
          continue;
        const qos = engine.deliveryQoS(message, subscription);
        // [MQTT311-3.3.1-8]: a retained message that is sent for a new subscription has RETAIN set.
        this.#session.deliver(message, qos, true, subscription.identifier);
      }
      if (cursor.done) {
        this.stop(subscription);
        this.#session.saved?.replaying(subscription, false);
      } else if (taken >= steps) break;
    }
    this.#advancing = false;
    return taken;
  }

  /** Of those that come first the earlier one that there is room for. */
  #next(): readonly [Subscription, Entry] | undefined {
    const windowed = this.#first(this.#windowed);
    const free = this.#first(this.#free);
    if (windowed === undefined || free === undefined) return windowed ?? free;
    return windowed[1].order < free[1].order ? windowed : free;
  }

  #first(entries: Entries): readonly [Subscription, Entry] | undefined {
    for (const entry of entries) return this.#room(entry[0]) ? entry : undefined;
    return undefined;
  }

  /** Half of what is allowed, so that live messages find room too. Its QoS may have changed since it began. */
  #room({ qos }: Subscription): boolean {
    const { connection, outbound } = this.#session;
    if (connection === undefined || connection.backlog >= LOW_WATER) return false;
    return qos === 0 || outbound.queued === 0;
  }
}
