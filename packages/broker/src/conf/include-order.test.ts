import { describe, expect, it } from 'vitest';
import { compareIncluded, isIncluded } from './include-order.js';

const inOrder = ['00', '01', 'A', 'Aa', 'a-1', 'a', 'aa', 'aB', 'a_1', 'B', 'b'].map(
  (name) => `${name}.conf`,
);

describe('include_dir (contract broker §2.2)', () => {
  it('reads files in this order', () => {
    expect([...inOrder].reverse().sort(compareIncluded)).toEqual(inOrder);
    expect([...inOrder].sort().sort(compareIncluded)).toEqual(inOrder);
  });

  it('puts the shorter of two names first', () => {
    expect(compareIncluded('a', 'ab')).toBeLessThan(0);
    expect(compareIncluded('a', 'a')).toBe(0);
  });

  it.each([
    ['a.conf', true],
    ['.conf', false],
    ['a.conf~', false],
    ['a.CONF', false],
    ['README', false],
  ])('%s: %s', (name, included) => expect(isIncluded(name)).toBe(included));
});
