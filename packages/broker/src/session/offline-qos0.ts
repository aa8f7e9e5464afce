import { Ring } from '@tsmqtt/protocol';
import type { Message } from '../routing/message.js';

interface Waiting {
  readonly message: Message;
  readonly retain: boolean;
  readonly identifier: number | undefined;
}

/** QoS 0 messages kept for a session that is offline: `queue_qos0_messages` (broker §3.1). */
export class OfflineQoS0 {
  readonly #waiting = new Ring<Waiting>();
  readonly #limit: number;

  /** @param limit `max_queued_messages`; 0: none. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** False: the bound is reached, which counts QoS 1 and 2 messages too, and the message is dropped. */
  add(message: Message, retain: boolean, identifier: number | undefined, otherwiseQueued: number): boolean {
    if (this.#limit > 0 && this.#waiting.length + otherwiseQueued >= this.#limit) return false;
    this.#waiting.push({ message, retain, identifier });
    return true;
  }

  forEach(visit: (message: Message) => void): void {
    for (const { message } of this.#waiting) visit(message);
  }

  /** Gives all of them, in order, and forgets them. */
  drain(give: (message: Message, retain: boolean, identifier: number | undefined) => void): void {
    for (const { message, retain, identifier } of this.#waiting) give(message, retain, identifier);
    this.#waiting.clear();
  }
}
