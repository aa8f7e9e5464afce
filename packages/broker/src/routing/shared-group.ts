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

  /** Whose turn it is, and on to the next. Undefined where the sessions of all have ended. */
  take(): Subscription | undefined {
    for (let left = this.members.length; left > 0; left--) {
      const member = this.members[this.#next] as Subscription;
      this.#next = this.#next + 1 < this.members.length ? this.#next + 1 : 0;
      if (!member.session.ended) return member;
    }
    return undefined;
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
