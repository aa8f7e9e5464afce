import { expect, test } from 'vitest';
import { lazily } from './lazily.js';

test('is made once, when it is asked for, even where it is undefined', () => {
  let made = 0;
  const value = lazily(() => {
    made++;
    return undefined;
  });
  expect(made).toBe(0);
  expect([value(), value(), made]).toEqual([undefined, undefined, 1]);
});
