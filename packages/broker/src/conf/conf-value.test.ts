import { describe, expect, it } from 'vitest';
import { readInteger, readText, readValue } from './conf-value.js';
import { confOption } from './option-table.js';

// biome-ignore format: one row a line
const integers: readonly (readonly [word: string, value: number | string])[] = [
  ['0', 0],
  ['1883', 1883],
  ['+5', 5],
  ['-5', -5],
  ['-0', 0],
  ['010', 8], // T-51
  ['00', 0],
  ['0x1F', 31],
  ['0Xff', 255],
  ['-0x10', -16],
  ['2147483647', 2147483647],
  ['-2147483648', -2147483648],
  ['2147483648', 'out of range'],
  ['-2147483649', 'out of range'],
  ['99999999999999999999999', 'out of range'],
  ['01883', 'not a number'], // T-51
  ['08', 'not a number'],
  ['0x', 'not a number'],
  ['5x', 'not a number'],
  ['x', 'not a number'],
  ['1.5', 'not a number'],
  ['1e3', 'not a number'],
  ['-', 'not a number'],
  ['--1', 'not a number'],
  ['5\t', 'not a number'],
];

describe('integers are read as in C with base 0 (contract broker §2.1)', () => {
  it.each(integers)('%j', (word, value) => {
    if (typeof value === 'number') expect(readInteger('port', word)).toBe(value);
    else expect(() => readInteger('port', word)).toThrow(`'port' value ${value}.`);
  });
});

// biome-ignore format: one row a line
const durations: readonly (readonly [text: string, seconds: number | undefined])[] = [
  ['1s', 1],
  ['2h', 7_200],
  ['1d', 86_400],
  ['1w', 604_800],
  ['1m', 30 * 86_400], // T-48
  ['1y', 365 * 86_400],
  ['0d', undefined],
  ['5', undefined],
  ['d', undefined],
  ['-1d', undefined],
  ['5x', undefined],
  ['5hd', undefined],
  ['99999999999d', undefined],
];

describe('persistent_client_expiration', () => {
  it.each(durations)('%j', (text, seconds) => {
    const read = () =>
      readValue(confOption('persistent_client_expiration')!, 'persistent_client_expiration', text);
    if (seconds !== undefined) expect(read()).toBe(seconds);
    else expect(read).toThrow("Invalid 'persistent_client_expiration' duration in configuration.");
  });
});

describe('strings', () => {
  it.each([
    ['x # y', 'x # y'],
    ['\tx\t', 'x'],
    [Buffer.from('größe').toString('latin1'), 'größe'],
  ])('%j', (rest, text) => expect(readText('user', rest)).toBe(text));

  it.each(['\xff', 'a\0b', 'a\x01', 'a\tb', '\xc2\x85', '\xed\xa0\x80'])('%j is malformed', (rest) => {
    expect(() => readText('user', rest)).toThrow('Malformed UTF-8 in configuration.');
  });

  it('a value of blanks is empty', () => {
    expect(() => readText('user', '\t')).toThrow("Empty 'user' value in configuration.");
  });
});
