import { expect, test } from 'vitest';
import { Cancellation, type CancelSignal } from './cancellation.js';

/** What both must agree on: the signal, and what aborts it. */
const KINDS: [name: string, make: () => { signal: CancelSignal; abort: (reason?: unknown) => void }][] = [
  [
    'an AbortController',
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
    },
  ],
  [
    'a Cancellation',
    () => {
      const signal = new Cancellation();
      return { signal, abort: (reason) => signal.abort(reason) };
    },
  ],
];

test.each(KINDS)('%s tells its listeners once, in order, and keeps the first reason', (_name, make) => {
  const { signal, abort } = make();
  const heard: string[] = [];
  const removed = (): void => void heard.push('removed');
  const first = (): void => void heard.push(`first ${signal.aborted} ${signal.reason}`);
  signal.throwIfAborted();
  for (const listener of [first, first, removed]) signal.addEventListener('abort', listener, { once: true });
  signal.addEventListener('abort', () => heard.push('second'), { once: true });
  signal.removeEventListener('abort', removed);
  abort('why');
  abort('again');
  signal.addEventListener('abort', () => heard.push('late'), { once: true });
  expect(heard).toEqual(['first true why', 'second']);
  expect(signal.reason).toBe('why');
  expect(() => signal.throwIfAborted()).toThrow('why');
});

test.each(KINDS)('%s has an error for a reason where none is given', (_name, make) => {
  const { signal, abort } = make();
  expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
  abort();
  expect(signal.reason).toMatchObject({ message: 'This operation was aborted' });
});
