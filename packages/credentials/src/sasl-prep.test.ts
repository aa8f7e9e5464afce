import { expect, test } from 'vitest';
import { saslPrep } from './sasl-prep.js';

// biome-ignore format: one row a line
const prepared: [string, string, string | undefined][] = [
  ['a soft hyphen (RFC 4013, 3, example 1)', 'I\u00adX', 'IX'],
  ['nothing to do (2)', 'user', 'user'],
  ['capital letters, which stay (3)', 'USER', 'USER'],
  ['a compatibility character (4)', '\u00aa', 'a'],
  ['another one (5)', '\u2168', 'IX'],
  ['a control character (6)', '\u0007', undefined],
  ['letters from right to left with a digit at the end (7)', '\u0627\u0031', undefined],
  ['letters from right to left', '\u0627\u0031\u0628', '\u0627\u0031\u0628'],
  ['one letter from right to left', '\u05d0', '\u05d0'],
  ['letters of both directions', '\u05d0a\u05d0', undefined],
  ['other spaces', 'a\u00a0b\u3000c', 'a b c'],
  ['a ligature', '\ufb01x', 'fix'],
  ['a letter and its accent', 'u\u0308', '\u00fc'],
  ['what joins emoji', '\u{1f468}\u200d\u{1f469}', '\u{1f468}\u{1f469}'],
  ['the delete character', 'a\u007f', undefined],
  ['a NUL', 'a\u0000', undefined],
  ['the replacement character', '\ufffd', undefined],
  ['private use', '\ue000', undefined],
  ['no character', '\ufdd0', undefined],
  ['half a character', '\ud800', undefined],
  ['a direction mark', 'a\u200f', undefined],
  ['a tag', 'a\u{e0041}', undefined],
  ['nothing', '', ''],
  ['only what becomes nothing', '\u00ad\ufeff', ''],
];
test.each(prepared)('%s', (_, text, result) => {
  expect(saslPrep(text)).toBe(result);
});
