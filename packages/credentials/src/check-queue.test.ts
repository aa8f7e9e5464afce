import { expect, test } from 'vitest';
import { CheckQueue } from './check-queue.js';

/** A piece of work that ends when the test says so. */
function piece() {
  let finish: (() => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  let started = false;
  const ended = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  return {
    work: () => {
      started = true;
      return ended;
    },
    get started() {
      return started;
    },
    finish: () => finish!(),
    fail: () => fail!(new Error('failed')),
  };
}

test('runs so many at a time, lets so many wait, and turns the next away', async () => {
  const queue = new CheckQueue(2, 1);
  const pieces = Array.from({ length: 4 }, piece);
  const results = pieces.map(({ work }) => queue.run(work));
  expect(pieces.map(({ started }) => started)).toEqual([true, true, false, false]);
  expect(results[3]).toBeUndefined();
  pieces[1]!.finish();
  await results[1];
  expect(pieces[2]!.started).toBe(true);
  pieces[0]!.finish();
  pieces[2]!.finish();
  await Promise.all(results);
});

test('work that fails makes room, too', async () => {
  const queue = new CheckQueue(1, 1);
  const [first, second] = [piece(), piece()];
  const results = [queue.run(first.work), queue.run(second.work)];
  first.fail();
  await expect(results[0]).rejects.toThrow('failed');
  expect(second.started).toBe(true);
  second.finish();
  await results[1];
});
