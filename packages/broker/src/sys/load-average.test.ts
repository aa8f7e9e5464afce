import { expect, test } from 'vitest';
import { LoadAverage, Loads } from './load-average.js';

/** Events since the update before, seconds since then, and the averages after it; as Mosquitto 2.0.11 shows them. */
const STEPS = [
  [2, 4, '1.93 0.40 0.13'],
  [9, 4, '10.52 2.18 0.73'],
] as const;

test('follows the formula of broker §7, with the values of the reference for the same traffic', () => {
  const loads = new Loads();
  let total = 0;
  for (const [count, elapsed, shown] of STEPS) {
    total += count;
    loads.update(total, elapsed);
    expect(loads.averages.map(({ average }) => average.value.toFixed(2)).join(' ')).toBe(shown);
  }
});

test('a steady rate is approached from below, and decays to 1/e in the time of its window', () => {
  const load = new LoadAverage(60);
  for (let second = 0; second < 3600; second += 10) load.update(50, 10);
  expect(load.value).toBeCloseTo(300, 6);
  for (let second = 0; second < 60; second += 10) load.update(0, 10);
  expect(load.value).toBeCloseTo(300 / Math.E, 6);
});

test('how time is cut does not matter while the rate stays the same', () => {
  const [coarse, fine] = [new LoadAverage(300), new LoadAverage(300)];
  coarse.update(600, 60);
  for (let second = 0; second < 60; second++) fine.update(10, 1);
  expect(fine.value).toBeCloseTo(coarse.value, 9);
});
