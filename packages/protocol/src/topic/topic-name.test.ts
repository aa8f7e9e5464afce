import { expect, test } from 'vitest';
import { topicVectors, vectorText, vectorTitle } from '../../test/vectors.js';
import { validTopicName } from './topic-name.js';

for (const { topic, valid, why } of topicVectors.names) {
  test(`Topic Name ${vectorTitle(topic)} is ${valid ? 'valid' : `not valid: ${why}`}`, () => {
    expect(validTopicName(vectorText(topic))).toBe(valid);
  });
}
