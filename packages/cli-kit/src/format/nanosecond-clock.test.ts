import { describe, expect, test } from 'vitest';
import { WallClock } from './nanosecond-clock.js';

/** A clock of milliseconds and a timer that the test moves. */
function moved(wall: number, timer: number) {
  const hands = { wall, timer };
  const clock = new WallClock(
    () => hands.wall,
    () => hands.timer,
  );
  const read = () => {
    clock.read();
    return `${clock.seconds}.${String(clock.nanoseconds).padStart(9, '0')}`;
  };
  return { hands, read };
}

describe('a clock of nanoseconds', () => {
  test('takes what is below a millisecond from the timer', () => {
    const { hands, read } = moved(1_795_431_081_075, 5000);
    hands.timer += 0.25;
    expect(read()).toBe('1795431081.075250000');
    hands.timer += 0.5;
    expect(read()).toBe('1795431081.075750000');
  });

  test('stays in the millisecond that the clock says', () => {
    const { hands, read } = moved(1_000_000, 0);
    hands.timer = 0.9;
    hands.wall += 1;
    expect(read()).toBe('1000.001000000');
    hands.timer = 1.4;
    expect(read()).toBe('1000.001500000');
    hands.timer = 5;
    expect(read()).toBe('1000.001999999');
  });

  test('follows steps of the clock in both directions', () => {
    const { hands, read } = moved(1_000_000, 0);
    hands.wall += 3_600_000;
    expect(read()).toBe('4600.000000000');
    hands.timer += 0.125;
    expect(read()).toBe('4600.000125000');
    hands.wall -= 7_200_000;
    expect(read()).toMatch(/^-2600\.0009999\d\d$/);
  });

  test('the real one is never off by a millisecond and never goes back', () => {
    const clock = new WallClock(Date.now);
    let last = 0;
    for (let index = 0; index < 1000; index++) {
      const before = Date.now();
      clock.read();
      const milliseconds = clock.seconds * 1000 + Math.floor(clock.nanoseconds / 1e6);
      expect(milliseconds).toBeGreaterThanOrEqual(before);
      expect(milliseconds).toBeLessThanOrEqual(Date.now());
      expect(milliseconds).toBeGreaterThanOrEqual(last);
      last = milliseconds;
    }
  });
});
