import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, DueQueue } from './due-queue.js';

class Item implements Due {
  dueAt = 0;
  duePosition = -1;
  constructor(readonly name: number) {}
}

function drain(queue: DueQueue<Item>, now: number): number[] {
  const times: number[] = [];
  for (let item = queue.take(now); item !== undefined; item = queue.take(now)) times.push(item.dueAt);
  return times;
}

describe('a queue of what falls due', () => {
  it('gives what is due, earliest first, and keeps the rest', () => {
    const queue = new DueQueue<Item>();
    for (const at of [5, 1, 4, 2, 3]) queue.set(new Item(at), at);
    expect(drain(queue, 3)).toEqual([1, 2, 3]);
    expect(queue.size).toBe(2);
    expect(drain(queue, 9)).toEqual([4, 5]);
  });

  it('moves what is there already', () => {
    const queue = new DueQueue<Item>();
    const [one, two] = [new Item(1), new Item(2)];
    queue.set(one, 1);
    queue.set(two, 2);
    queue.set(one, 3);
    expect(queue.size).toBe(2);
    expect(queue.take(9)).toBe(two);
    expect(queue.take(9)).toBe(one);
  });

  it('takes what is not there out without harm', () => {
    const queue = new DueQueue<Item>();
    const item = new Item(1);
    queue.delete(item);
    queue.set(item, 1);
    queue.delete(item);
    queue.delete(item);
    expect(queue.size).toBe(0);
  });

  it('looks at one of 100,000 where none is due, and at few for each that is', () => {
    let looks = 0;
    class Watched implements Due {
      duePosition = -1;
      #dueAt = 0;
      get dueAt(): number {
        looks++;
        return this.#dueAt;
      }
      set dueAt(value: number) {
        this.#dueAt = value;
      }
    }
    const queue = new DueQueue<Watched>();
    for (let index = 0; index < 100_000; index++) queue.set(new Watched(), 1000 + ((index * 7919) % 100_000));
    looks = 0;
    for (let now = 0; now < 1000; now++) expect(queue.take(now)).toBeUndefined();
    expect(looks).toBe(1000);
    looks = 0;
    for (let now = 1000; now < 2000; now++) expect(queue.take(now)?.dueAt).toBe(now);
    // 17 levels, of which each is a handful of looks.
    expect(looks / 1000).toBeLessThan(17 * 5);
  });

  it('does the same as a sorted list, whatever is put in, moved and taken out', () => {
    const step = fc.record({
      item: fc.nat(20),
      at: fc.nat(100),
      what: fc.constantFrom('set', 'delete', 'take'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const items = Array.from({ length: 21 }, (_, name) => new Item(name));
        const queue = new DueQueue<Item>();
        const model = new Map<Item, number>();
        for (const { item: index, at, what } of steps) {
          const item = items[index] as Item;
          if (what === 'set') {
            queue.set(item, at);
            model.set(item, at);
          } else if (what === 'delete') {
            queue.delete(item);
            model.delete(item);
          } else {
            const taken = queue.take(at);
            const least = Math.min(...model.values());
            expect(taken?.dueAt).toBe(least <= at ? least : undefined);
            if (taken !== undefined) model.delete(taken);
          }
          expect(queue.size).toBe(model.size);
        }
        expect(drain(queue, 100)).toEqual([...model.values()].sort((a, b) => a - b));
      }),
    );
  });
});
