import { describe, expect, it } from 'vitest';
import type { Session } from '../session/session.js';
import { SharedGroup } from './shared-group.js';
import { Subscription } from './subscription.js';

function group(count: number): { group: SharedGroup; members: Subscription[] } {
  const made = new SharedGroup('g', 'a');
  const members = Array.from({ length: count }, () => new Subscription({} as Session, 'a'));
  made.members.push(...members);
  return { group: made, members };
}

const turns = (of: SharedGroup, members: readonly Subscription[], count: number): number[] =>
  Array.from({ length: count }, () => members.indexOf(of.take() as Subscription));

describe('rotation', () => {
  it('gives every member its turn, strictly (broker §9.9)', () => {
    const { group: shared, members } = group(3);
    expect(turns(shared, members, 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it('peek says whose turn it is and changes nothing', () => {
    const { group: shared, members } = group(2);
    expect([shared.peek(), shared.peek()]).toEqual([members[0], members[0]]);
    expect(turns(shared, members, 1)).toEqual([0]);
    expect(shared.peek()).toBe(members[1]);
  });

  // Who has had a turn is removed, and the turn after.
  const REMOVALS = [
    { taken: 0, remove: 0, next: [1, 2, 1] },
    { taken: 1, remove: 0, next: [1, 2, 1] },
    { taken: 1, remove: 1, next: [2, 0, 2] },
    { taken: 1, remove: 2, next: [1, 0, 1] },
    { taken: 2, remove: 0, next: [2, 1, 2] },
    { taken: 2, remove: 2, next: [0, 1, 0] },
  ];
  for (const { taken, remove, next } of REMOVALS) {
    it(`skips nobody: of 3, after ${taken} turns member ${remove} leaves`, () => {
      const { group: shared, members } = group(3);
      turns(shared, members, taken);
      shared.remove(members[remove] as Subscription);
      expect(turns(shared, members, 3)).toEqual(next);
    });
  }

  it('is over without members', () => {
    const { group: shared, members } = group(1);
    shared.remove(members[0] as Subscription);
    expect([shared.peek(), shared.take()]).toEqual([undefined, undefined]);
  });
});
