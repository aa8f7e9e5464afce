import { describe, expect, it } from 'vitest';
import { WorkQueue } from './work-queue.js';

/** A clock that the test moves, and workers that say when they had their turn and how long it takes. */
function setUp() {
  let now = 1000;
  const queue = new WorkQueue(() => now);
  const turns: string[] = [];
  const worker = (name: string, milliseconds: number, times = 1) => {
    let left = times;
    const one = {
      work: () => {
        turns.push(name);
        now += milliseconds;
        if (--left > 0) queue.add(one);
      },
    };
    queue.add(one);
  };
  const turn = (): string => {
    turns.length = 0;
    queue.turn();
    return turns.join(' ');
  };
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { queue, worker, turn, pass };
}

const LARGE = 65_536;
const SMALL = 20;

describe('those who stand in line', () => {
  it('have one share together, and go on in rotation', () => {
    const { worker, turn } = setUp();
    for (const name of ['a', 'b', 'c']) worker(name, 5, 2);
    expect([turn(), turn(), turn(), turn()]).toEqual(['a b', 'c a', 'b c', '']);
  });

  it('have at least one turn each time, however long it takes', () => {
    const { worker, turn } = setUp();
    worker('a', 1000, 2);
    worker('b', 1000);
    expect([turn(), turn(), turn()]).toEqual(['a', 'b', 'a']);
  });

  it('have a short share while somebody who sends little is expected, and a long one later', () => {
    const { queue, worker, turn, pass } = setUp();
    for (const name of ['a', 'b', 'c']) worker(name, 0.2, 2);
    queue.admits(SMALL);
    queue.servedLittle();
    expect([turn(), turn()]).toEqual(['a', 'b']);
    pass(20);
    expect(turn()).toBe('c a b');
  });
});

describe('a chunk that comes', () => {
  it('waits where the turn is used up, unless it is small', () => {
    const { queue, turn, pass } = setUp();
    expect(queue.admits(LARGE)).toBe(true);
    pass(10);
    expect(queue.admits(LARGE)).toBe(false);
    expect(queue.admits(SMALL)).toBe(true);
    expect(queue.admits(LARGE)).toBe(false);
    turn();
    expect(queue.admits(LARGE)).toBe(true);
  });

  it('is given way to when the time is spent', () => {
    const { queue, pass } = setUp();
    queue.admits(LARGE);
    expect(queue.spent()).toBe(false);
    pass(10);
    expect(queue.spent()).toBe(true);
  });
});
