import { expect, test } from 'vitest';
import { Ledger } from './ledger.js';

const of = (...messages: readonly [payload: string, qos: number][]): readonly string[] => {
  const ledger = new Ledger('x', 2);
  for (const [payload, qos] of messages) ledger.add({ topic: 't', payload, qos });
  return ledger.faults;
};

test('a ledger finds what is doubled at QoS 2 and what is out of order', () => {
  expect(of(['a 2 1', 2], ['a 2 2', 2], ['b 2 1', 2], ['a 1 1', 1], ['a 1 1', 1])).toEqual([]);
  expect(of(['a 2 1', 2], ['a 2 1', 2])).toEqual(['x: "a 2 1" came 2 times']);
  expect(of(['a 1 2', 1], ['a 1 1', 1])).toEqual(['x: "a 1 1" came after number 2']);
});
