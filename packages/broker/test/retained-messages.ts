import type { Message } from '../src/routing/message.js';
import type { RetainedStore } from '../src/routing/retained-store.js';

/** Every retained message that a filter finds. */
export function retainedMessages(store: RetainedStore, filter: string): Message[] {
  const cursor = store.matching(filter);
  const found: Message[] = [];
  while (!cursor.done) {
    const message = cursor.step();
    if (message !== undefined) found.push(message);
  }
  return found;
}
