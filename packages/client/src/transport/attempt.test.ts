import { expect, test, vi } from 'vitest';
import { attempt } from './attempt.js';

const limits = (signal = new AbortController().signal, timeoutMs = 60_000) => ({
  signal,
  timeoutMs,
  timedOut: () => new Error('late'),
});

test('what comes after the first outcome is not heard', async () => {
  const undo = vi.fn();
  const outcome = attempt<number>(limits(), (succeed, fail) => {
    queueMicrotask(() => {
      succeed(1);
      succeed(2);
      fail(new Error('no'));
    });
    return undo;
  });
  expect(await outcome).toBe(1);
  expect(undo).not.toHaveBeenCalled();
});

test.each([
  ['it fails', (fail: (error: unknown) => void) => queueMicrotask(() => fail('no'))],
  ['it fails at once', (fail: (error: unknown) => void) => fail('no')],
])('undone once when %s', async (_title, act) => {
  const undo = vi.fn();
  const outcome = attempt(limits(), (_succeed, fail) => {
    act(fail);
    return undo;
  });
  await expect(outcome).rejects.toBe('no');
  expect(undo).toHaveBeenCalledTimes(1);
});

test('a beginning that throws', async () => {
  const outcome = attempt(limits(), () => {
    throw new Error('no');
  });
  await expect(outcome).rejects.toThrow('no');
});

test('the time is over', async () => {
  const undo = vi.fn();
  await expect(attempt(limits(undefined, 1), () => undo)).rejects.toThrow('late');
  expect(undo).toHaveBeenCalledTimes(1);
});

test('aborted before and meanwhile', async () => {
  const begin = vi.fn();
  await expect(attempt(limits(AbortSignal.abort('enough')), begin)).rejects.toBe('enough');
  expect(begin).not.toHaveBeenCalled();
  const controller = new AbortController();
  const undo = vi.fn();
  const outcome = attempt(limits(controller.signal), () => undo);
  controller.abort('enough');
  await expect(outcome).rejects.toBe('enough');
  expect(undo).toHaveBeenCalledTimes(1);
});
