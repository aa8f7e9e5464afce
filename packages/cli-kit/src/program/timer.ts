import type { CancelSignal } from '@tsmqtt/client';

/** Longest delay a timer takes; beyond it Node would call at once. */
const LONGEST_MS = 0x7fffffff;

/** Calls `action` after so many milliseconds, however many, unless the returned function is called before. */
export function after(milliseconds: number, action: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    timer = setTimeout(
      () => (left > LONGEST_MS ? arm(left - LONGEST_MS) : action()),
      Math.min(left, LONGEST_MS),
    );
  };
  arm(milliseconds);
  return () => clearTimeout(timer);
}

/** Resolves after so many milliseconds, or as soon as `signal` is aborted. */
export function delay(milliseconds: number, signal?: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      cancel();
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const cancel = after(milliseconds, over);
    signal?.addEventListener('abort', over);
    if (signal?.aborted) over();
  });
}
