import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Arrivals } from './arrivals.js';

it('holds only so many: the oldest has to go', () => {
  const arrivals = new Arrivals();
  const sockets = Array.from({ length: 4098 }, () => new PassThrough());
  const gone = sockets.map((socket, index) => arrivals.add(socket, index));
  expect(gone.slice(0, 4096).every((one) => one === undefined)).toBe(true);
  expect(gone[4096]).toBe(sockets[0]);
  expect(gone[4097]).toBe(sockets[1]);
  expect([...arrivals.all()]).toHaveLength(4096);
});

it('tells who has been there for more than 30 s', () => {
  const arrivals = new Arrivals();
  const [early, arrived, late] = [new PassThrough(), new PassThrough(), new PassThrough()];
  arrivals.add(early, 0);
  arrivals.add(arrived, 0);
  arrivals.add(late, 1);
  arrivals.delete(arrived);
  expect(arrivals.overdue(30_000, 1024)).toEqual([]);
  expect(arrivals.overdue(30_001, 1024)).toEqual([early]);
});

it('lets only so many take more than 5 s', () => {
  const arrivals = new Arrivals();
  const sockets = Array.from({ length: 10 }, () => new PassThrough());
  for (const socket of sockets) arrivals.add(socket, 0);
  arrivals.add(new PassThrough(), 1);
  expect(arrivals.overdue(5000, 4)).toEqual([]);
  expect(arrivals.overdue(5001, 4)).toEqual(sockets.slice(0, 6));
  expect(arrivals.overdue(5001, Number.POSITIVE_INFINITY)).toEqual([]);
});
