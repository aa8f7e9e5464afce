import { matches } from '@tsmqtt/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeFrame, Message } from './message.js';
import type { RetainedCursor } from './retained-cursor.js';
import { RetainedStore } from './retained-store.js';

const message = (topic: string, payload = 'x'): Message =>
  new Message(topic, composeFrame(topic, Buffer.from(payload), 0, true, [], 4), Number.POSITIVE_INFINITY);

function rest(cursor: RetainedCursor): string[] {
  const found: string[] = [];
  while (!cursor.done) {
    const one = cursor.step();
    if (one !== undefined) found.push(`${one.topic}=${one.frame.payload}`);
  }
  return found;
}

function stepsOf(cursor: RetainedCursor): number {
  let steps = 0;
  for (; !cursor.done; steps++) cursor.step();
  return steps;
}

const FILTERS = [
  '#',
  '+/#',
  '+/+',
  'a/+',
  'a/#',
  'a/b',
  '$c/#',
  '+',
  'a/+/b/#',
  'a/a/+/a',
  '+/b/+/+/#',
  'a/b/a/b',
  'a//#',
];

describe('a cursor over retained messages', () => {
  it('looks only at the levels that its filter leads to', () => {
    const store = new RetainedStore();
    for (let index = 0; index < 1000; index++) store.publish(message(`many/${index}/x`), 0);
    store.publish(message('few/1/x'), 0);
    expect(stepsOf(store.matching('many/500/x'))).toBeLessThan(10);
    expect(stepsOf(store.matching('few/#'))).toBeLessThan(15);
    expect(stepsOf(store.matching('many/+/y'))).toBeLessThan(2010);
  });

  it('finds what was there, once, and nothing that came, went or was replaced before it was reached', () => {
    const topic = fc
      .array(fc.constantFrom('a', 'b', '', '$c'), { minLength: 1, maxLength: 6 })
      .map((levels) => levels.join('/'))
      .filter((name) => name !== '');
    const filter = fc.constantFrom(...FILTERS);
    const change = fc.record({ topic, what: fc.constantFrom('publish', 'remove', 'step', 'step') });
    fc.assert(
      fc.property(
        fc.array(topic, { maxLength: 20 }),
        filter,
        fc.array(change, { maxLength: 60 }),
        (before, wanted, changes) => {
          const store = new RetainedStore();
          for (const name of before) store.publish(message(name, 'old'), 0);
          const cursor = store.matching(wanted);
          const untouched = new Set(before.filter((name) => matches(wanted, name)));
          const found: string[] = [];
          for (const { topic: name, what } of changes) {
            if (what === 'step') {
              const one = cursor.step();
              if (one !== undefined) found.push(`${one.topic}=${one.frame.payload}`);
            } else {
              if (!found.includes(`${name}=old`)) untouched.delete(name);
              store.publish(message(name, what === 'publish' ? 'new' : ''), 0);
            }
          }
          found.push(...rest(cursor));
          expect(found.sort()).toEqual([...untouched].map((name) => `${name}=old`).sort());
        },
      ),
      { numRuns: 1000 },
    );
  });
});
