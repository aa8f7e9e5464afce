import type { Message } from '../routing/message.js';
import type { Journal } from './journal.js';

/** Messages that are saved: each once, with the number of records that refer to it. */
export class SavedMessages {
  readonly #journal: Journal;
  readonly #saved = new Map<Message, { readonly number: number; references: number }>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get size(): number {
    return this.#saved.size;
  }

  /** A message that the store gave; records that refer to it follow. */
  known(message: Message, number: number): void {
    this.#saved.set(message, { number, references: 0 });
  }

  /** One more record is to refer to this message, which has to be kept. Its number. */
  refer(message: Message): number {
    const saved = this.#saved.get(message);
    if (saved !== undefined) {
      saved.references++;
      return saved.number;
    }
    const { frame, expiresAt } = message;
    const number = this.#journal.add({
      kind: 'message',
      packet: frame.source.subarray(frame.frameStart, frame.end),
      protocolVersion: frame.protocolVersion,
      expiresAt: expiresAt === Number.POSITIVE_INFINITY ? undefined : expiresAt,
    });
    this.#saved.set(message, { number, references: 1 });
    return number;
  }

  /** @throws Error where no record refers to it. */
  numberOf(message: Message): number {
    return this.#entry(message).number;
  }

  #entry(message: Message): { readonly number: number; references: number } {
    const saved = this.#saved.get(message);
    if (saved === undefined) throw new Error(`no record refers to the message to ${message.topic}`);
    return saved;
  }

  /** A record that refers to it is gone. */
  release(message: Message): void {
    const saved = this.#entry(message);
    if (--saved.references > 0) return;
    this.#saved.delete(message);
    this.#journal.remove(saved.number);
  }

  /** Removes what the store gave and nothing refers to. */
  dropUnreferred(): void {
    for (const [message, { number, references }] of this.#saved) {
      if (references > 0) continue;
      this.#saved.delete(message);
      this.#journal.remove(number);
    }
  }
}
