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

  it('have a short share when somebody was served who wants little, and twice as long a one each turn after it', () => {
    const { queue, turn, pass } = setUp();
    // Steps that a float has exactly.
    const step = 1 / 128;
    let steps = 0;
    const endless = {
      work: () => {
        do {
          pass(step);
          steps++;
        } while (!queue.spent());
        queue.add(endless);
      },
    };
    queue.add(endless);
    const stepsOfTurn = (): number => {
      steps = 0;
      turn();
      return steps;
    };
    expect([stepsOfTurn(), stepsOfTurn()]).toEqual([1024, 1024]);
    const served = (): void => {
      queue.admits(SMALL);
      queue.servedLittle();
    };
    served();
    expect(Array.from({ length: 12 }, stepsOfTurn)).toEqual([
      3, 6, 11, 21, 41, 82, 164, 328, 656, 1024, 1024, 1024,
    ]);
    served();
    expect([stepsOfTurn(), stepsOfTurn()]).toEqual([3, 6]);
  });
});

describe('a client that sends little', () => {
  it('is not hurried for where that is much work: its messages go to many', () => {
    const { queue, worker, turn } = setUp();
    worker('a', 1);
    worker('b', 1);
    queue.admits(SMALL);
    queue.spent();
    queue.servedLittle();
    expect(turn()).toBe('a b');
  });

  it('has its answers written in the turn it comes, when output of long work is kept together', () => {
    const { queue, worker, turn } = setUp();
    worker('a', 1, 3);
    expect(queue.unhurried).toBe(true);
    queue.admits(SMALL);
    expect(queue.unhurried).toBe(false);
    turn();
    expect(queue.unhurried).toBe(true);
    turn();
    turn();
    expect(queue.unhurried).toBe(false);
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

  it('waits while somebody who wants little may come again, unless it is small', () => {
    const { queue, turn } = setUp();
    queue.servedLittle();
    for (let turns = 0; turns < 9; turns++) {
      turn();
      expect([queue.admits(LARGE), queue.admits(SMALL)]).toEqual([false, true]);
    }
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
