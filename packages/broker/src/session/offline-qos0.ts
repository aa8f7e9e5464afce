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
  #bytes = 0;

  /** Bytes of the payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(message: OfflineMessage): void {
    this.#waiting.push(message);
    this.#bytes += message.message.frame.payloadLength;
  }

  forEach(visit: (message: Message) => void): void {
    for (const { message } of this.#waiting) visit(message);
  }

  /** Gives all of them, in order, and forgets them. */
  drain(give: (message: OfflineMessage) => void): void {
    for (const message of this.#waiting) give(message);
    this.#waiting.clear();
    this.#bytes = 0;
  }
}
