import type { Duplex } from 'node:stream';
import type { CancelSignal } from '../cancellation.js';

/** How long a handshake may take unless its options say otherwise, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 15_000;

/** What bounds an attempt. */
export interface AttemptLimits {
  readonly signal: CancelSignal;
  readonly timeoutMs: number;
  /** What the attempt is rejected with when the time is over. */
  readonly timedOut: () => Error;
}

/**
 * One step on the way to a connection: settles when `begin` says so, when the time is over or when it is aborted.
 * `begin` returns what undoes it, which is called unless the step succeeds.
 */
export function attempt<T>(
  { signal, timeoutMs, timedOut }: AttemptLimits,
  begin: (succeed: (value: T) => void, fail: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    let undo: (() => void) | undefined;
    const settle = (): boolean => {
      if (over) return false;
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      return true;
    };
    const fail = (error: unknown): void => {
      if (!settle()) return;
      undo?.();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const timer = setTimeout(() => fail(timedOut()), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    if (over) return;
    try {
      undo = begin((value) => {
        if (settle()) resolve(value);
      }, fail);
      // It may have failed before it could say how to undo it.
      if (over) undo();
    } catch (error) {
      fail(error);
    }
  });
}

/** Gives a duplex up: it may still report an error, which nobody waits for. */
export function discard(duplex: Duplex): void {
  duplex.on('error', () => {}).destroy();
}
