import type { Session } from '../session/session.js';
import type { SessionLink } from '../session/session-link.js';

/** Output that a connected subscriber may leave untaken before the publishers that feed it are stopped, in bytes. */
export const HIGH_WATER = 262_144;
/** Below it they go on. */
export const LOW_WATER = 65_536;
/** With `max_queued_messages 0` nothing is ever dropped; the default's number of queued messages still stops the publishers. */
const UNLIMITED_QUEUE = 1000;
/** A subscriber that moves less than this in SLOW_AFTER is slow (broker B-10). */
const LEAST_PROGRESS = 65_536;
const SLOW_AFTER = 10_000;

/** Somebody who publishes, and waits for a subscriber to drain. */
export interface WaitingPublisher {
  /** Tries again at the end of this turn of the event loop. */
  resumeLater(): void;
}

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
  #blocked = false;
  #slow = false;
  #reported = false;
  #waiting: Set<WaitingPublisher> | undefined;
  #markProgress = 0;
  #markTime = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whoever publishes to it has to wait. */
  get holds(): boolean {
    return this.#blocked && !this.#slow;
  }

  /** QoS 1 and 2 messages that may be pending while connected: the in-flight limit and the queue in total (broker §9.10). */
  #limit(): number {
    const { engine, outbound } = this.#session;
    const { maxQueuedMessages } = engine.settings;
    return outbound.window + (maxQueuedMessages === 0 ? UNLIMITED_QUEUE : maxQueuedMessages);
  }

  /** Payload bytes that may wait beyond those in flight: one message may exceed it (broker §9.10). */
  #maxBytes(): number {
    const { maxQueuedBytes } = this.#session.engine.settings;
    return maxQueuedBytes === 0 ? Number.POSITIVE_INFINITY : maxQueuedBytes;
  }

  /** QoS 1 and 2 messages that are pending, those that wait behind retained ones among them. */
  #pending(): number {
    const { behind, outbound } = this.#session;
    return outbound.pending + (behind === undefined ? 0 : behind.acknowledged);
  }

  /** Payload bytes of those that are not in flight. */
  #queuedBytes(): number {
    const { behind, outbound } = this.#session;
    return outbound.queuedBytes + (behind === undefined ? 0 : behind.acknowledgedBytes);
  }

  /** Output that the client has not taken, and what waits behind retained messages, in bytes. */
  #backlog(): number {
    const { behind, connection } = this.#session;
    return (connection?.backlog ?? 0) + (behind === undefined ? 0 : behind.weight);
  }

  /** Nothing waits and the window has room, as nearly always: then no limit has to be looked up. */
  #hasRoom(): boolean {
    const { behind, outbound } = this.#session;
    return behind === undefined && outbound.queuedBytes === 0 && outbound.pending < outbound.window;
  }

  /** A connection begins. */
  reset(): void {
    this.#blocked = false;
    this.#slow = false;
    this.#reported = false;
  }

  /** Output was added: is its bound reached now? */
  checkOutput(connection: SessionLink): void {
    if (!this.#blocked && connection.backlog >= HIGH_WATER) this.#block(connection);
  }

  /** A message was added that has to be acknowledged, or to wait: is any bound reached now? */
  check(): void {
    const { connection } = this.#session;
    if (connection === undefined || this.#blocked) return;
    const full =
      !this.#hasRoom() && (this.#pending() >= this.#limit() || this.#queuedBytes() >= this.#maxBytes());
    if (full || this.#backlog() >= HIGH_WATER) this.#block(connection);
  }

  #block(connection: SessionLink): void {
    this.#blocked = true;
    this.#markProgress = connection.progress;
    this.#markTime = this.#session.engine.clock.now();
    this.#session.engine.blockedSessions.add(this.#session);
  }

  /** Whether a QoS 0 message is dropped now. */
  dropsQoS0(): boolean {
    return this.#blocked && this.#backlog() >= HIGH_WATER;
  }

  /** Whether a message that would have to be kept is dropped now: QoS 1 and 2, and QoS 0 for who is offline. */
  dropsKept(): boolean {
    const { behind, connection, engine, outbound } = this.#session;
    const { maxQueuedMessages } = engine.settings;
    if (connection !== undefined) {
      if (this.#hasRoom()) return false;
      return (
        (maxQueuedMessages > 0 && this.#pending() >= this.#limit()) || this.#queuedBytes() >= this.#maxBytes()
      );
    }
    const { waitingQoS0, waitingQoS0Bytes } = this.#session;
    if (maxQueuedMessages > 0 && this.#pending() + waitingQoS0 >= maxQueuedMessages) return true;
    const bytes = outbound.pendingBytes + (behind?.acknowledgedBytes ?? 0) + waitingQoS0Bytes;
    return bytes >= this.#maxBytes();
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
  wait(publisher: WaitingPublisher): void {
    this.#waiting ??= new Set();
    this.#waiting.add(publisher);
  }

  forget(publisher: WaitingPublisher): void {
    this.#waiting?.delete(publisher);
  }

  /** Something was taken: is there room again? */
  drained(): void {
    const { connection, outbound, replay } = this.#session;
    if (connection === undefined) return;
    if (replay.active) replay.pump();
    if (!this.#blocked || this.#backlog() > LOW_WATER) return;
    if (this.#pending() > this.#limit() - Math.ceil((this.#limit() - outbound.window) / 2)) return;
    if (this.#queuedBytes() > this.#maxBytes() / 2) return;
    this.#blocked = false;
    this.#slow = false;
    this.#reported = false;
    this.#session.engine.blockedSessions.delete(this.#session);
    this.#release();
  }

  /** It takes fewer topics: whoever waits looks again whether it is still in the way. */
  unsubscribed(): void {
    this.#release();
  }

  /** Called once a second while blocked. */
  sweep(now: number): void {
    const connection = this.#session.connection;
    if (!this.#blocked || this.#slow || connection === undefined) return;
    // It cannot take what the store keeps back.
    if (connection.gate !== undefined && connection.gate.size > 0) this.#markTime = now;
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
