import { Ring } from '@tsmqtt/protocol';
import type { Message } from '../routing/message.js';

export interface OfflineMessage {
  readonly qos: 0;
  readonly message: Message;
  readonly retain: boolean;
  readonly subscriptionIdentifier: number | undefined;
}

/** QoS 0 messages kept for a session that is offline: `queue_qos0_messages` (broker §3.1). */
export class OfflineQoS0 {
  readonly #waiting = new Ring<OfflineMessage>();
  readonly #limit: number;

  /** @param limit `max_queued_messages`; 0: none. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** False: the bound is reached, which counts QoS 1 and 2 messages too, and the message is dropped. */
  add(message: OfflineMessage, otherwiseQueued: number): boolean {
    if (this.#limit > 0 && this.#waiting.length + otherwiseQueued >= this.#limit) return false;
    this.#waiting.push(message);
    return true;
  }

  forEach(visit: (message: Message) => void): void {
    for (const { message } of this.#waiting) visit(message);
  }

  /** Takes one back that an earlier process had: its bound was looked at then. */
  restore(message: OfflineMessage): void {
    this.#waiting.push(message);
  }

  /** Gives all of them, in order, and forgets them. */
  drain(give: (message: OfflineMessage) => void): void {
    for (const message of this.#waiting) give(message);
    this.#waiting.clear();
  }
}
