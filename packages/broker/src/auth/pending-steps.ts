import type { AuthMethod } from './auth-method.js';

/** Unless a method says otherwise. */
const MAX_PENDING = 64;

/** Steps of Authentication Methods under way: a crowd at a method that takes its time costs no more than its bound. */
export class PendingSteps {
  readonly #counts = new Map<AuthMethod, number>();

  hasRoomFor(method: AuthMethod): boolean {
    return (this.#counts.get(method) ?? 0) < (method.maxPending ?? MAX_PENDING);
  }

  add(method: AuthMethod): void {
    this.#counts.set(method, (this.#counts.get(method) ?? 0) + 1);
  }

  remove(method: AuthMethod): void {
    const left = (this.#counts.get(method) ?? 0) - 1;
    if (left > 0) this.#counts.set(method, left);
    else this.#counts.delete(method);
  }
}
