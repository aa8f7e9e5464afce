import type { Due } from '../due-queue.js';
import type { Message } from './message.js';

/** One level of the tree of retained messages, and the message of the topic that ends there. */
export class RetainedLevel implements Due {
  children: Map<string, RetainedLevel> | undefined;
  message: Message | undefined;
  /** The store's count when the message came: tells earlier from later. */
  order = 0;
  /** When the message came, in milliseconds since 1970. */
  since = 0;
  /** When the message vanishes; Infinity: never. */
  dueAt = Number.POSITIVE_INFINITY;
  duePosition = -1;
}
