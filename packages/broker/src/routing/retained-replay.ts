import { Right } from '../auth/access-list.js';
import type { Session } from '../session/session.js';
import { LOW_WATER } from './back-pressure.js';
import { BehindReplay, type WaitingMessage } from './behind-replay.js';
import type { RetainedCursor } from './retained-cursor.js';
import type { Subscription } from './subscription.js';

/** A subscription whose retained messages are being sent. */
interface Entry {
  readonly cursor: RetainedCursor;
  /** Counts up with every SUBSCRIBE. */
  readonly order: number;
  /** Its subscription has ended or begun again, maybe by whoever got the message that was sent last. */
  left: boolean;
}

type Entries = Map<Subscription, Entry>;

/**
 * Retained messages for new subscriptions, sent as fast as the subscriber takes them (broker B-10) and as the event loop
 * has turns: a cursor over what was there at SUBSCRIBE, never dropped. Whatever is routed to the session meanwhile waits
 * behind all of it (0021). A message that was replaced or cleared meanwhile is passed over: its successor is among those.
 */
export class RetainedReplay {
  readonly #session: Session;
  /** One at most for each subscription, in the order of SUBSCRIBE: those of QoS 1 and 2, which wait for the window. */
  readonly #windowed: Entries = new Map();
  /** Those of QoS 0, which never do (broker §9.10). */
  readonly #free: Entries = new Map();
  #started = 0;
  #advancing = false;
  /** A SUBSCRIBE is not answered yet: SUBACK leaves before any retained message that it brings about (broker §9.8). */
  #held = false;

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

  /** Nothing is sent until `goOn()`; what is routed to the session waits as soon as something has started. */
  hold(): void {
    this.#held = true;
  }

  /** SUBACK has left, or there is another connection. */
  goOn(): void {
    this.#held = false;
    this.pump();
  }

  /** A subscription that is made again begins again: what was left of the first time is part of the second. */
  start(cursor: RetainedCursor, subscription: Subscription): void {
    this.#leave(subscription);
    this.restore(cursor, subscription);
    this.#session.saved?.replayStarts(subscription);
  }

  /** Takes one back that an earlier process had begun with. */
  restore(cursor: RetainedCursor, subscription: Subscription): void {
    const session = this.#session;
    session.behind ??= new BehindReplay();
    if (session.behind.line.size === 0) this.#begin(cursor, subscription);
    else session.behind.addReplay(subscription, cursor);
  }

  #begin(cursor: RetainedCursor, subscription: Subscription): void {
    const entries = subscription.qos === 0 ? this.#free : this.#windowed;
    entries.set(subscription, { cursor, order: ++this.#started, left: false });
  }

  /** The subscription is over: what has not been sent for it stays [MQTT-3.10.4-2]. */
  stop(subscription: Subscription): void {
    this.#leave(subscription);
    this.pump();
  }

  #leave(subscription: Subscription): void {
    const { behind } = this.#session;
    if (behind === undefined) return;
    this.#drop(this.#windowed, subscription);
    this.#drop(this.#free, subscription);
    behind.line.delete(subscription);
    if (!this.active && !behind.leaving) this.#moveUp(behind);
  }

  #drop(entries: Entries, subscription: Subscription): void {
    const entry = entries.get(subscription);
    if (entry === undefined) return;
    entry.left = true;
    entries.delete(subscription);
  }

  /** Nothing is on its way any more: messages that wait go, up to subscriptions behind them, which begin. */
  #moveUp(behind: BehindReplay): void {
    const session = this.#session;
    behind.leaving = true;
    for (const [next, cursor] of behind.line) {
      if (cursor !== undefined) {
        behind.line.delete(next);
        this.#begin(cursor, next as Subscription);
      } else if (this.active) break;
      else {
        behind.take(next as WaitingMessage);
        session.sendWaiting(next as WaitingMessage);
      }
    }
    behind.leaving = false;
    // Whoever got the last one may have subscribed or ended it all.
    if (this.active || session.behind !== behind) return;
    session.behind = undefined;
    session.pressure.drained();
  }

  clear(): void {
    this.#windowed.clear();
    this.#free.clear();
    this.#session.behind?.line.clear();
    this.#session.behind = undefined;
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
      const [subscription, entry] = next;
      const { cursor } = entry;
      while (taken < steps && this.#room(subscription) && !entry.left && !cursor.done) {
        taken++;
        const message = cursor.step();
        if (message === undefined || message.expiresAt <= now) continue;
        if (engine.settings.checkRetainSource && message.source?.may(Right.WRITE, message.topic) === false)
          continue;
        const qos = engine.deliveryQoS(message, subscription);
        this.#session.deliverRetained(message, qos, subscription.identifier);
      }
      if (entry.left) continue;
      if (cursor.done) {
        this.#session.saved?.replayEnds(subscription);
        this.#leave(subscription);
      } else if (taken >= steps) break;
    }
    this.#advancing = false;
    return taken;
  }

  /** Of those that come first the earlier one that there is room for. */
  #next(): readonly [Subscription, Entry] | undefined {
    if (this.#held) return undefined;
    const windowed = this.#first(this.#windowed);
    const free = this.#first(this.#free);
    if (windowed === undefined || free === undefined) return windowed ?? free;
    return windowed[1].order < free[1].order ? windowed : free;
  }

  #first(entries: Entries): readonly [Subscription, Entry] | undefined {
    for (const entry of entries) return this.#room(entry[0]) ? entry : undefined;
    return undefined;
  }

  /** Its QoS may have changed since it began. */
  #room({ qos }: Subscription): boolean {
    const { connection, outbound } = this.#session;
    if (connection === undefined || connection.backlog >= LOW_WATER) return false;
    return qos === 0 || outbound.open;
  }
}
