import { expect, test } from 'vitest';
import { topicVectors, vectorText, vectorTitle } from '../../test/vectors.js';
import { validTopicFilter } from './topic-filter.js';

for (const { filter, valid, why } of topicVectors.filters) {
  test(`Topic Filter ${vectorTitle(filter)} is ${valid ? 'valid' : `not valid: ${why}`}`, () => {
    expect(validTopicFilter(vectorText(filter))).toBe(valid);
  });
}
