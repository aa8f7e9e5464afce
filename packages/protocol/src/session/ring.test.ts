import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ring } from './ring.js';

test('is empty at first', () => {
  const ring = new Ring<number>();
  expect([ring.length, ring.peek(), ring.shift(), [...ring]]).toEqual([0, undefined, undefined, []]);
  expect(ring.length).toBe(0);
});

test('does what an array does, whatever the order of calls', () => {
  const call = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 1, max: 40 }).map((count) => ({ push: count })) },
    { weight: 20, arbitrary: fc.integer({ min: 1, max: 40 }).map((count) => ({ shift: count })) },
    { weight: 1, arbitrary: fc.constant({ clear: true }) },
  );
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
      const ring = new Ring<number>();
      let model: number[] = [];
      let next = 0;
      for (const one of calls) {
        if ('push' in one) {
          for (let count = one.push; count > 0; count--) {
            ring.push(next);
            model.push(next++);
          }
        } else if ('shift' in one) {
          for (let count = one.shift; count > 0; count--) expect(ring.shift()).toBe(model.shift());
        } else {
          ring.clear();
          model = [];
        }
        expect(ring.length).toBe(model.length);
        expect(ring.peek()).toBe(model[0]);
        expect([...ring]).toEqual(model);
      }
    }),
  );
});

test('keeps its order through running large and empty again and again', () => {
  const ring = new Ring<number>();
  for (let round = 0; round < 3; round++) {
    for (let value = 0; value < 5_000; value++) ring.push(value);
    expect(Array.from({ length: 5_000 }, () => ring.shift())).toEqual(
      Array.from({ length: 5_000 }, (_, value) => value),
    );
    expect(ring.length).toBe(0);
  }
});
