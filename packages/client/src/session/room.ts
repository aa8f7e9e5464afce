import type { ClientError } from '../client-error.js';

interface Waiter {
  resolve(): void;
  reject(error: ClientError): void;
}

/** Writers that wait until there is room again. */
export class Room {
  #waiters: Waiter[] = [];

  get awaited(): boolean {
    return this.#waiters.length > 0;
  }

  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  open(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  close(error: ClientError): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}
