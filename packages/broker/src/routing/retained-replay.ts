import type { Session } from '../session/session.js';
import { LOW_WATER } from './back-pressure.js';
import type { Message } from './message.js';
import type { Subscription } from './subscription.js';

interface Cursor {
  readonly messages: readonly Message[];
  readonly subscription: Subscription;
  next: number;
}

/**
 * Retained messages for new subscriptions, sent as fast as the subscriber takes them (broker B-10): a cursor over what
 * was there at SUBSCRIBE, never dropped. A message that was replaced or cleared meanwhile is passed over: its successor
 * has been delivered as it came.
 */
export class RetainedReplay {
  readonly #session: Session;
  #cursors: Cursor[] = [];
  #pumping = false;

  constructor(session: Session) {
    this.#session = session;
  }

  get active(): boolean {
    return this.#cursors.length > 0;
  }

  start(messages: readonly Message[], subscription: Subscription): void {
    if (messages.length === 0) return;
    this.#cursors.push({ messages, subscription, next: 0 });
    this.pump();
  }

  /** The subscription is over: what has not been sent for it stays [MQTT-3.10.4-2]. */
  stop(subscription: Subscription): void {
    this.#cursors = this.#cursors.filter((cursor) => cursor.subscription !== subscription);
  }

  clear(): void {
    this.#cursors = [];
  }

  /** Sends what there is room for. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { engine } = this.#session;
    const now = engine.clock.now();
    for (let cursor = this.#cursors[0]; cursor !== undefined && this.#room(); cursor = this.#cursors[0]) {
      const message = cursor.messages[cursor.next++];
      if (message === undefined) {
        this.#cursors.shift();
        continue;
      }
      if (!message.retained || message.expiresAt <= now) continue;
      const qos = engine.deliveryQoS(message, cursor.subscription);
      // [MQTT311-3.3.1-8]: a retained message that is sent for a new subscription has RETAIN set.
      this.#session.deliver(message, qos, true, cursor.subscription.identifier);
    }
    this.#pumping = false;
  }

  /** Half of what is allowed, so that live messages find room too. */
  #room(): boolean {
    const { connection, outbound } = this.#session;
    return connection !== undefined && connection.backlog < LOW_WATER && outbound.queued === 0;
  }
}
