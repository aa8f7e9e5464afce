import type { Connection } from '../connection/connection.js';
import type { Session } from '../session/session.js';

/** Output that a connected subscriber may leave untaken before the publishers that feed it are stopped, in bytes. */
export const HIGH_WATER = 262_144;
/** Below it they go on. */
export const LOW_WATER = 65_536;
/** With `max_queued_messages 0` nothing is ever dropped; this many queued messages still stop the publishers. */
const UNLIMITED_QUEUE = 10_000;
/** A subscriber that moves less than this in SLOW_AFTER is slow (broker B-10). */
const LEAST_PROGRESS = 65_536;
const SLOW_AFTER = 10_000;

/**
 * What happens at a subscriber's bound (broker B-10): back-pressure before dropping.
 *
 *     flowing --bound reached--> blocked --drained--> flowing
 *                                blocked --10 s without 64 KiB of progress--> slow --drained--> flowing
 *
 * While it is blocked the broker does not read the publishers that feed it; while it is slow, and always when it is
 * offline or feeds itself, what is over the bound is dropped for it alone.
 */
export class BackPressure {
  readonly #session: Session;
  readonly #maxQueued: number;
  #window = 0;
  #blocked = false;
  #slow = false;
  #reported = false;
  #waiting: Set<Connection> | undefined;
  #markProgress = 0;
  #markTime = 0;

  /** @param maxQueued `max_queued_messages`; 0: no limit. */
  constructor(session: Session, maxQueued: number) {
    this.#session = session;
    this.#maxQueued = maxQueued;
  }

  /** Whoever publishes to it has to wait. */
  get holds(): boolean {
    return this.#blocked && !this.#slow;
  }

  /** QoS 1 and 2 messages that may be pending while connected: the in-flight limit and the queue in total (broker §9.10). */
  get #limit(): number {
    return this.#window + (this.#maxQueued === 0 ? UNLIMITED_QUEUE : this.#maxQueued);
  }

  /** A connection begins. */
  reset(window: number): void {
    this.#window = window;
    this.#blocked = false;
    this.#slow = false;
    this.#reported = false;
  }

  /** Something was added: is the bound reached now? */
  check(): void {
    const connection = this.#session.connection;
    if (this.#blocked || connection === undefined) return;
    if (connection.backlog < HIGH_WATER && this.#session.outbound.pending < this.#limit) return;
    this.#blocked = true;
    this.#markProgress = connection.progress;
    this.#markTime = this.#session.engine.clock.now();
    this.#session.engine.blockedSessions.add(this.#session);
  }

  /** Whether a QoS 0 message is dropped now. */
  dropsQoS0(): boolean {
    return this.#blocked && (this.#session.connection?.backlog ?? 0) >= HIGH_WATER;
  }

  /** Whether a QoS 1 or 2 message is dropped now. */
  dropsAcknowledged(): boolean {
    if (this.#maxQueued === 0) return false;
    const { connection, outbound, waitingQoS0 } = this.#session;
    if (connection === undefined) return outbound.pending + waitingQoS0 >= this.#maxQueued;
    return outbound.pending >= this.#limit;
  }

  /** A message was dropped: said once until it has drained (broker §5). */
  dropped(): void {
    const { engine, clientId } = this.#session;
    engine.counters.dropped++;
    if (this.#reported) return;
    this.#reported = true;
    engine.log.notice(`Outgoing messages are being dropped for client ${clientId}.`);
  }

  /** A publisher waits until this subscriber has drained, turned out slow or gone. */
  wait(publisher: Connection): void {
    this.#waiting ??= new Set();
    this.#waiting.add(publisher);
  }

  forget(publisher: Connection): void {
    this.#waiting?.delete(publisher);
  }

  /** Something was taken: is there room again? */
  drained(): void {
    const { connection, outbound, replay } = this.#session;
    if (connection === undefined) return;
    if (replay.active) replay.pump();
    if (!this.#blocked || connection.backlog > LOW_WATER) return;
    if (outbound.pending > this.#limit - Math.ceil((this.#limit - this.#window) / 2)) return;
    this.#blocked = false;
    this.#slow = false;
    this.#reported = false;
    this.#session.engine.blockedSessions.delete(this.#session);
    this.#release();
  }

  /** Called once a second while blocked. */
  sweep(now: number): void {
    const connection = this.#session.connection;
    if (!this.#blocked || this.#slow || connection === undefined) return;
    if (connection.progress - this.#markProgress >= LEAST_PROGRESS) {
      this.#markProgress = connection.progress;
      this.#markTime = now;
    } else if (now - this.#markTime >= SLOW_AFTER) {
      this.#slow = true;
      this.#release();
    }
  }

  /** The connection or the session is over: nobody waits for it. */
  end(): void {
    this.#blocked = false;
    this.#slow = false;
    this.#session.engine.blockedSessions.delete(this.#session);
    this.#release();
  }

  /** Lets everybody who waits go on. */
  #release(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    for (const publisher of waiting) publisher.resumeLater();
  }
}
