import type { Delivery } from '../session/delivery.js';
import type { OfflineMessage } from '../session/offline-qos0.js';
import type { Message } from './message.js';
import type { RetainedCursor } from './retained-cursor.js';
import type { Subscription } from './subscription.js';

export type WaitingMessage = Delivery | OfflineMessage;

/** What keeping a message costs besides its bytes, about. */
const OVERHEAD = 256;

/**
 * What waits behind the retained messages that a session is being sent: messages that were routed to it meanwhile, and
 * subscriptions that it made behind these. There is one as long as retained messages are on their way. It knows no bound:
 * back-pressure counts it in (broker B-10).
 */
export class BehindReplay {
  /** First in, first out; a subscription with the cursor over what is retained for it. */
  readonly line = new Map<WaitingMessage | Subscription, RetainedCursor | undefined>();
  /** Messages of QoS 1 and 2, and bytes of their payloads. */
  acknowledged = 0;
  acknowledgedBytes = 0;
  /** Messages of QoS 0, and bytes of their payloads. */
  qos0 = 0;
  qos0Bytes = 0;
  /** Messages are being sent: what that brings about does not wait, or a line in the log about each would never end. */
  leaving = false;
  #frameBytes = 0;

  /** What all of it takes of memory, in bytes, about. */
  get weight(): number {
    return this.#frameBytes + OVERHEAD * (this.acknowledged + this.qos0);
  }

  add(waiting: WaitingMessage): void {
    this.line.set(waiting, undefined);
    this.#count(waiting, 1);
  }

  /** A message has its turn, or goes. */
  take(waiting: WaitingMessage): void {
    this.line.delete(waiting);
    this.#count(waiting, -1);
  }

  #count({ qos, message }: WaitingMessage, by: 1 | -1): void {
    const { frame } = message as Message;
    this.#frameBytes += by * (frame.end - frame.frameStart);
    if (qos === 0) {
      this.qos0 += by;
      this.qos0Bytes += by * frame.payloadLength;
    } else {
      this.acknowledged += by;
      this.acknowledgedBytes += by * frame.payloadLength;
    }
  }

  /** A subscription that is made again waits at the end once more: one place at most for each. */
  addReplay(subscription: Subscription, cursor: RetainedCursor): void {
    this.line.delete(subscription);
    this.line.set(subscription, cursor);
  }

  /** Messages in order. */
  *messages(): IterableIterator<WaitingMessage> {
    for (const [waiting, cursor] of this.line) if (cursor === undefined) yield waiting as WaitingMessage;
  }
}
