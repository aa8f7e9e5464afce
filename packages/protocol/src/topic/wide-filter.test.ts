import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { topicVectors } from '../../test/vectors.js';
import { matches } from './matches.js';
import { validTopicFilter } from './topic-filter.js';
import { parseWideFilter } from './wide-filter.js';

for (const row of topicVectors.wide) {
  describe(`wide filter ${row.filter}`, () => {
    const wide = parseWideFilter(row.filter)!;

    test(`subscribes to ${row.subscribe}`, () => {
      expect(wide.subscribe).toBe(row.subscribe);
      expect(validTopicFilter(wide.subscribe)).toBe(true);
    });

    test('matches what it says and nothing else', () => {
      expect(row.matches.filter((topic) => !wide.matches(topic))).toEqual([]);
      expect(row.misses.filter((topic) => wide.matches(topic))).toEqual([]);
    });
  });
}

test.each(topicVectors.notWide)('%j is no filter even so', (text) => {
  expect(parseWideFilter(text)).toBeUndefined();
});

const level = fc.constantFrom('a', 'b', '', '$');
const topics = fc.array(level, { minLength: 1, maxLength: 8 }).map((levels) => levels.join('/'));
const wideFilters = fc
  .array(fc.oneof(level, fc.constantFrom('+', '#')), { minLength: 1, maxLength: 6 })
  .map((levels) => levels.join('/'))
  .filter((filter) => filter !== '');

/** The rules once more, by recursion: no cleverness to get wrong. */
function naive(filter: readonly string[], topic: readonly string[]): boolean {
  const [level, ...rest] = filter;
  if (level === undefined) return topic.length === 0;
  if (level === '#') return naive(rest, topic) || (topic.length > 0 && naive(filter, topic.slice(1)));
  if (topic.length === 0) return false;
  return (level === '+' || level === topic[0]) && naive(rest, topic.slice(1));
}

test('any wide filter matches as a naive reading of it does', () => {
  fc.assert(
    fc.property(wideFilters, topics, (filter, topic) => {
      const sameKind = filter.startsWith('$') === topic.startsWith('$');
      const expected = sameKind && naive(filter.split('/'), topic.split('/'));
      expect(parseWideFilter(filter)!.matches(topic)).toBe(expected);
    }),
    { numRuns: 5000 },
  );
});

test('what a wide filter matches, its subscription matches', () => {
  fc.assert(
    fc.property(wideFilters, topics, (filter, topic) => {
      const wide = parseWideFilter(filter)!;
      expect(wide.matches(topic) && !matches(wide.subscribe, topic)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('many # do not make matching explode', () => {
  const wide = parseWideFilter(`${'#/a/'.repeat(60)}b`)!;
  expect(wide.matches(Array(200).fill('a').join('/'))).toBe(false);
});
