import { expect, test } from 'vitest';
import { topicVectors } from '../../test/vectors.js';
import { parseFilter } from './shared-filter.js';

for (const { text, share, filter, reasonCode } of topicVectors.shared) {
  test(`${JSON.stringify(text)} is taken apart with reason code ${reasonCode}`, () => {
    expect(parseFilter(text)).toEqual({
      share: share ?? undefined,
      filter,
      valid: reasonCode === 0,
      reasonCode,
    });
  });
}

test('the limit on separators counts the $share/ levels too', () => {
  expect(parseFilter(`$share/g/${'a/'.repeat(198)}`).reasonCode).toBe(0);
  expect(parseFilter(`$share/g/${'a/'.repeat(199)}`).reasonCode).toBe(0x81);
});
