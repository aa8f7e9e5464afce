import { type Publish, type PublishFrame, Ring } from '@tsmqtt/protocol';
import type { CancelSignal } from './cancellation.js';
import { aborted, type ClientError } from './client-error.js';

export const DEFAULT_HIGH_WATER = 1024;

/** What an iterator asks of its client. */
export interface MessageSource {
  /** The iterator is full (true), or has room again. */
  blocked(iterator: MessageIterator, blocked: boolean): void;
  /** The iterator wants no more. */
  remove(iterator: MessageIterator): void;
}

interface Waiting {
  resolve(result: IteratorResult<Publish, undefined>): void;
  reject(error: ClientError): void;
}

const DONE: IteratorResult<Publish, undefined> = { done: true, value: undefined };

/** Messages one after the other, in bytes of their own. Reading stops while `highWater` of them wait. */
export class MessageIterator implements AsyncIterableIterator<Publish, undefined> {
  readonly #source: MessageSource;
  readonly #highWater: number;
  readonly #signal: CancelSignal | undefined;
  readonly #messages = new Ring<Publish>();
  readonly #waiting = new Ring<Waiting>();
  #blocked = false;
  #over = false;
  #error: ClientError | undefined;

  constructor(source: MessageSource, highWater: number, signal: CancelSignal | undefined) {
    this.#source = source;
    this.#highWater = highWater;
    this.#signal = signal;
    if (signal?.aborted) this.end(aborted(signal));
    else signal?.addEventListener('abort', this.#abort, { once: true });
  }

  readonly #abort = (): void => {
    this.#messages.clear();
    this.end(aborted(this.#signal as CancelSignal));
  };

  push(message: PublishFrame): void {
    if (this.#over) return;
    const own = message.detach();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: own });
      return;
    }
    this.#messages.push(own);
    if (!this.#blocked && this.#messages.length >= this.#highWater) this.#block(true);
  }

  #block(blocked: boolean): void {
    this.#blocked = blocked;
    this.#source.blocked(this, blocked);
  }

  /** No more messages will come; those that wait are still given. */
  end(error: ClientError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#source.remove(this);
    for (let waiting = this.#waiting.shift(); waiting !== undefined; waiting = this.#waiting.shift()) {
      if (error === undefined) waiting.resolve(DONE);
      else waiting.reject(error);
    }
  }

  next(): Promise<IteratorResult<Publish, undefined>> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      if (this.#blocked && this.#messages.length * 2 <= this.#highWater) this.#block(false);
      return Promise.resolve({ done: false, value: message });
    }
    if (!this.#over) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
      });
    }
    const error = this.#error;
    // An error is told once; after it, an iterator is over.
    this.#error = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  /** `break` in a loop over it. */
  return(): Promise<IteratorResult<Publish, undefined>> {
    this.#messages.clear();
    this.end(undefined);
    this.#error = undefined;
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
