import { describe, expect, test } from 'vitest';
import { formatted } from '../../test/formatted.js';
import { ArgumentError } from '../options/argument-error.js';
import { compileFormat } from './compile-format.js';
import { conversionTable } from './conversion-table.js';

function errorOf(format: Buffer): string {
  try {
    compileFormat(format);
  } catch (error) {
    if (error instanceof ArgumentError) return Buffer.from(error.text).toString('latin1');
    throw error;
  }
  return 'valid';
}

const INCOMPLETE = 'Error: Incomplete format specifier.\n';
const invalid = (byte: string) => `Error: Invalid format specifier '${byte}'.\n`;

describe('what is no format (cli §4, §14.2)', () => {
  test.each([
    ['%', INCOMPLETE],
    ['a%', INCOMPLETE],
    ['@', INCOMPLETE],
    ['%t@', INCOMPLETE],
    ['%-', INCOMPLETE],
    ['%0', INCOMPLETE],
    ['%-0', INCOMPLETE],
    ['%12', INCOMPLETE],
    ['%.', INCOMPLETE],
    ['%1.2', INCOMPLETE],
    ['\\', 'Error: Incomplete escape specifier.\n'],
    ['%t\\', 'Error: Incomplete escape specifier.\n'],
    ['\\q', "Error: Invalid escape specifier 'q'.\n"],
    ['\\\xff', "Error: Invalid escape specifier '\xff'.\n"],
    ['%:', invalid('\0')],
    ['%5.2-', invalid('\0')],
    ['%--5t', invalid('5')],
    ['%::t', invalid(':')],
    ['%z', invalid('z')],
    ['%\xc3\xa9', invalid('\xc3')],
    ['%t %Q', invalid('Q')],
    ['%\n', invalid('\n')],
  ])('%j', (format, text) => {
    expect(errorOf(Buffer.from(format, 'latin1'))).toBe(text);
  });
});

test('every byte behind % is a conversion, %, the start of a longer specifier, or invalid', () => {
  const letters = conversionTable()
    .map(({ letter }) => letter)
    .join('');
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    const error = errorOf(Buffer.from([0x25, byte]));
    if (`${letters}%`.includes(character)) expect(error).toBe('valid');
    else if ('-.0123456789'.includes(character)) expect(error).toBe(INCOMPLETE);
    else if ('!"#$&\'()*+,/:;<=>?@[\\]^_`{|}~ '.includes(character)) expect(error).toBe(invalid('\0'));
    else expect(error).toBe(invalid(character));
  }
});

test('a separator may stand before every conversion', () => {
  for (const separator of '!"#$&\'()*+,-./:;<=>?@[\\]^_`{|}~ ') {
    for (const { letter } of conversionTable()) {
      expect(errorOf(Buffer.from(`%5.2${separator}${letter}`))).toBe('valid');
    }
  }
});

test.each([
  ['%0-p', 'hello'],
  ['%:t', 'a/b'],
  ['%5.2:%|%-%|%%', '%|%|%'],
  ['é %t ü', 'é a/b ü'],
  ['\\\\|\\0|\\a|\\e|\\n|\\r|\\t|\\v', '\\|\0|\x07|\x1b|\n|\r|\t|\v'],
  ['', ''],
])('%j prints %j', (format, text) => {
  expect(formatted(format).out.toString()).toBe(text);
});

test('literals are bytes', () => {
  const bytes = Buffer.from(
    Array.from({ length: 256 }, (_, byte) => byte).filter(
      (byte) => !'%@\\'.includes(String.fromCharCode(byte)),
    ),
  );
  expect(formatted(bytes).out).toEqual(bytes);
});

test('letters are unique', () => {
  const letters = conversionTable().map(({ letter }) => letter);
  expect(new Set(letters).size).toBe(letters.length);
});
