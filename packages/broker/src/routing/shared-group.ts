import type { Subscription } from './subscription.js';

/**
 * The members of one Shared Subscription (4.8.2). Each message goes to one of them, in strict rotation over all
 * members, offline ones too (broker §9.9).
 */
export class SharedGroup {
  readonly members: Subscription[] = [];
  #next = 0;

  constructor(
    readonly name: string,
    readonly filter: string,
  ) {}

  /** Whose turn it is. Undefined only without members. */
  peek(): Subscription | undefined {
    return this.members[this.#next];
  }

  /** Whose turn it is, and on to the next. */
  take(): Subscription | undefined {
    const member = this.members[this.#next];
    this.#next = this.#next + 1 < this.members.length ? this.#next + 1 : 0;
    return member;
  }

  /** False where it was no member. */
  remove(member: Subscription): boolean {
    const index = this.members.indexOf(member);
    if (index < 0) return false;
    this.members.splice(index, 1);
    if (index < this.#next) this.#next--;
    if (this.#next >= this.members.length) this.#next = 0;
    return true;
  }
}
