import type { Message } from '../routing/message.js';
import type { Persistence } from './persistence.js';
import { storedIdentity } from './stored-identity.js';

/** What the store is told of retained messages; those below `$SYS` are the broker's own and made anew (broker §8). */
export class SavedRetained {
  readonly #persistence: Persistence;
  readonly #numbers = new Map<Message, number>();

  constructor(persistence: Persistence) {
    this.#persistence = persistence;
  }

  /** The message is retained now. */
  set(message: Message, since: number): void {
    if (message.topic.startsWith('$SYS/')) return;
    const { journal, messages } = this.#persistence;
    const source = message.source && storedIdentity(message.source);
    const number = journal.add({ kind: 'retained', message: messages.refer(message), since, source });
    this.#numbers.set(message, number);
  }

  /** It is not any more: another took its place, it was cleared, it expired. */
  unset(message: Message): void {
    const number = this.#numbers.get(message);
    if (number === undefined) return;
    this.#numbers.delete(message);
    this.#persistence.journal.remove(number);
    this.#persistence.messages.release(message);
  }

  /** A topic is clear now. If it was before: the clearing before has to be saved too before anybody is told. */
  cleared(): void {
    this.#persistence.journal.touch();
  }

  /** Takes up what the store gave. */
  known(message: Message, number: number): void {
    this.#persistence.messages.refer(message);
    this.#numbers.set(message, number);
  }
}
