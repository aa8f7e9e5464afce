import { Right } from '../auth/access-list.js';
import type { Session } from '../session/session.js';
import { LOW_WATER } from './back-pressure.js';
import type { RetainedCursor } from './retained-cursor.js';
import type { Subscription } from './subscription.js';

/**
 * Retained messages for new subscriptions, sent as fast as the subscriber takes them (broker B-10) and as the event loop
 * has turns: a cursor over what was there at SUBSCRIBE, never dropped. A message that was replaced or cleared meanwhile
 * is passed over: its successor has been delivered as it came.
 */
export class RetainedReplay {
  readonly #session: Session;
  /** One at most for each subscription, in the order of SUBSCRIBE. */
  readonly #cursors = new Map<Subscription, RetainedCursor>();
  #advancing = false;

  constructor(session: Session) {
    this.#session = session;
  }

  get active(): boolean {
    return this.#cursors.size > 0;
  }

  /** Whether there is something to do, and room for what it brings. */
  get ready(): boolean {
    return this.active && this.#room();
  }

  /** A subscription that is made again begins again: what was left of the first time is part of the second. */
  start(cursor: RetainedCursor, subscription: Subscription): void {
    this.#cursors.delete(subscription);
    this.#cursors.set(subscription, cursor);
    this.#session.saved?.replaying(subscription, true);
  }

  /** The subscription is over: what has not been sent for it stays [MQTT-3.10.4-2]. */
  stop(subscription: Subscription): void {
    this.#cursors.delete(subscription);
  }

  clear(): void {
    this.#cursors.clear();
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
    for (const [subscription, cursor] of this.#cursors) {
      while (taken < steps && this.#room() && !cursor.done) {
        taken++;
        const message = cursor.step();
        if (message === undefined || message.expiresAt <= now) continue;
        if (engine.settings.checkRetainSource && message.source?.may(Right.WRITE, message.topic) === false)
          continue;
        const qos = engine.deliveryQoS(message, subscription);
        // [MQTT311-3.3.1-8]: a retained message that is sent for a new subscription has RETAIN set.
        this.#session.deliver(message, qos, true, subscription.identifier);
      }
      if (!cursor.done) break;
      this.#cursors.delete(subscription);
      this.#session.saved?.replaying(subscription, false);
    }
    this.#advancing = false;
    return taken;
  }

  /** Half of what is allowed, so that live messages find room too. */
  #room(): boolean {
    const { connection, outbound } = this.#session;
    return connection !== undefined && connection.backlog < LOW_WATER && outbound.queued === 0;
  }
}
