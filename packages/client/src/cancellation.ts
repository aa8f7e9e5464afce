/**
 * As much of an AbortSignal as this package looks at: every AbortSignal is one, and so is a {@link Cancellation}, whose
 * listeners cost a start-up less than a tenth of what those of an AbortSignal do.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  /** What `aborted` is about. */
  readonly reason: unknown;
  /** Throws the reason, if it is aborted. */
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** An AbortController and its signal in one, without the EventTarget that Node compiles for the first of them. */
export class Cancellation implements CancelSignal {
  readonly #listeners = new Set<() => void>();
  #aborted = false;
  #reason: unknown;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /** Listeners are called once, in their order, before this returns. The first call decides. */
  abort(reason: unknown = new Error('This operation was aborted')): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.#aborted) this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }
}
