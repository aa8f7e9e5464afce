import fc from 'fast-check';
import { expect, test } from 'vitest';
import { topicVectors } from '../../test/vectors.js';
import { matches } from './matches.js';
import { validTopicFilter } from './topic-filter.js';
import { validTopicName } from './topic-name.js';

test.each(topicVectors.matches)('filter %j', ({ filter, topic, matches: expected }) => {
  expect(matches(filter, topic)).toBe(expected);
});

test('the rows hold valid filters and topics, each pair once', () => {
  const pairs = topicVectors.matches.map(({ filter, topic }) => JSON.stringify([filter, topic]));
  expect(new Set(pairs).size).toBe(pairs.length);
  expect(pairs.length).toBeGreaterThanOrEqual(120);
  expect(topicVectors.matches.filter(({ filter }) => !validTopicFilter(filter))).toEqual([]);
  expect(topicVectors.matches.filter(({ topic }) => !validTopicName(topic))).toEqual([]);
});

/** The rules as a regular expression: slow, and obvious. */
function oracle(filter: string, topic: string): boolean {
  if (/^[+#]/.test(filter) && topic.startsWith('$')) return false;
  const source = filter
    .replace(/[\\^$.*?()[\]{}|]/g, '\\$&')
    .replaceAll('+', '[^/]*')
    .replace(/^#$/, '.*')
    .replace(/\/#$/, '(/.*)?');
  return new RegExp(`^${source}$`, 's').test(topic);
}

// Few names, so that many pairs match.
const level = fc.constantFrom('a', 'b', 'ab', '', '$', '$S', 'ä', '😀', '.*');
const topics = fc
  .array(level, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 5 }), fc.boolean())
  .map(([levels, hash]) => (hash ? [...levels, '#'] : levels).join('/'))
  .filter((filter) => filter !== '');

test('any filter and topic match as the regular expression of the filter says', () => {
  let matched = 0;
  fc.assert(
    fc.property(filters, topics, (filter, topic) => {
      const result = matches(filter, topic);
      if (result) matched++;
      expect(result).toBe(oracle(filter, topic));
    }),
    { numRuns: 20_000 },
  );
  expect(matched).toBeGreaterThan(500);
});

test('a filter made from a topic by putting wildcards into it matches that topic', () => {
  const cases = topics.chain((topic) =>
    fc.record({
      topic: fc.constant(topic),
      plus: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      keep: fc.nat(5),
    }),
  );
  fc.assert(
    fc.property(cases, ({ topic, plus, keep }) => {
      const levels = topic.split('/').map((name, index) => (plus[index] && index > 0 ? '+' : name));
      const exact = levels.join('/');
      expect(matches(exact, topic)).toBe(true);
      const kept = levels.slice(0, keep);
      if (kept.length > 0) expect(matches([...kept, '#'].join('/'), topic)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
