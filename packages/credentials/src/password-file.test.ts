import { describe, expect, test } from 'vitest';
import { PasswordFile } from './password-file.js';

function parse(text: string): PasswordFile {
  return PasswordFile.parse(Buffer.from(text, 'latin1'));
}

function text(file: PasswordFile): string {
  return file.toBytes().toString('latin1');
}

// biome-ignore format: one row a line
const unchanged: [string, string][] = [
  ['nothing', ''],
  ['comments, blank lines and indentation', '# staff\n\n  \t\n a : x \n  # more\nb:y\n'],
  ['CRLF', 'a:x\r\n\r\nb:y\r\n'],
  ['no last line feed', 'a:x\nb:y'],
  ['duplicates, unknown hashes, bytes that are no text', 'a:x\na:$99$?\n\xff\xfe:\x80\n'],
  ['what is corrupt', 'a\n:\nb:\0\n'],
];

test.each(unchanged)('keeps %s byte for byte', (_, content) => {
  expect(text(parse(content))).toBe(content);
});

describe('set', () => {
  // biome-ignore format: one row a line
  const cases: [string, string, string, string, string][] = [
    ['adds to an empty file', '', 'u', 'added', 'u:H\n'],
    ['adds at the end', '# c\n\na:x\n', 'u', 'added', '# c\n\na:x\nu:H\n'],
    ['ends an unfinished line first', 'a:x', 'u', 'added', 'a:x\nu:H\n'],
    ['ends an unfinished comment first', 'a:x\n# c', 'u', 'added', 'a:x\n# c\nu:H\n'],
    ['replaces in place', 'a:x\nu:y\nb:z\n', 'u', 'updated', 'a:x\nu:H\nb:z\n'],
    ['replaces only the first of several', 'u:x\nu:y\n', 'u', 'updated', 'u:H\nu:y\n'],
    ['finds a name among blanks and writes it without', ' u : x \n', 'u', 'updated', 'u:H\n'],
    ['keeps CRLF', 'u:x\r\nb:y\r\n', 'u', 'updated', 'u:H\r\nb:y\r\n'],
    ['ends the line it replaces', 'u:x', 'u', 'updated', 'u:H\n'],
    ['drops what stood behind a second colon', 'u:x:z\n', 'u', 'updated', 'u:H\n'],
    ['skips colons before the name', ':u:x\n', 'u', 'updated', 'u:H\n'],
    ['does not take a part of a name for it', 'uu:x\nU:y\n', 'u', 'added', 'uu:x\nU:y\nu:H\n'],
    ['does not take a comment for a user', '#u:x\n', 'u', 'added', '#u:x\nu:H\n'],
  ];
  test.each(cases)('%s', (_, before, name, result, after) => {
    const file = parse(before);
    expect(file.set(name, 'H')).toBe(result);
    expect(text(file)).toBe(after);
  });

  test('compares names as bytes, text standing for its UTF-8', () => {
    const file = parse('\xc3\xa0:x\n\xff:y\n');
    expect(file.set('à', 'H')).toBe('updated');
    expect(file.set(Uint8Array.of(0xff), 'H')).toBe('updated');
    expect(file.set('\uFFFD', 'H')).toBe('added');
  });

  test('knows the users it has added', () => {
    const file = parse('');
    expect([file.set('u', 'H'), file.set('u', 'I'), file.set('v', 'J')]).toEqual([
      'added',
      'updated',
      'added',
    ]);
    expect(text(file)).toBe('u:I\nv:J\n');
  });
});

describe('remove', () => {
  // biome-ignore format: one row a line
  const cases: [string, string, number, string][] = [
    ['removes every line of the user', '# c\nu:x\na:y\nu:z\n', 2, '# c\na:y\n'],
    ['leaves the rest as it was', 'a:x\r\nu:y\nb:z', 1, 'a:x\r\nb:z'],
    ['changes nothing for an unknown user', ' a:x', 0, ' a:x'],
  ];
  test.each(cases)('%s', (_, before, count, after) => {
    const file = parse(before);
    expect(file.remove('u')).toBe(count);
    expect(text(file)).toBe(after);
    expect(file.find('u')).toBeUndefined();
  });

  test('the others are still found', () => {
    const file = parse('u:x\na:y\n');
    file.remove('u');
    expect(file.find('a')?.line).toBe(1);
    expect(file.set('a', 'H')).toBe('updated');
    expect(text(file)).toBe('a:H\n');
  });
});

test('entries tell name, hash and what -U takes for the password', () => {
  const entries = [...parse('# c\n a : b : c \r\n\nb:$6$x:y').entries()];
  expect(entries.map(({ line, name, secret, rest }) => [line, String(name), secret, String(rest)])).toEqual([
    [2, 'a', 'b', 'b : c'],
    [4, 'b', '$6$x', '$6$x:y'],
  ]);
});

test('setLine replaces exactly that line', () => {
  const file = parse('u:x\nu:y\n# c\n');
  file.setLine(2, 'H');
  expect(text(file)).toBe('u:x\nu:H\n# c\n');
  expect(() => file.setLine(3, 'H')).toThrow(RangeError);
});

// biome-ignore format: one row a line
const corrupt: [string, string, number | undefined][] = [
  ['nothing wrong', '# c\n\na:x\n', undefined],
  ['no colon', 'a:x\nb\n', 2],
  ['no password', 'a:\n', 1],
  ['a password of blanks', 'a: \t\r\n', 1],
  ['nothing between two colons', 'a::x\n', 1],
  ['no name', ' :x\n', 1],
  ['a NUL', 'a:x\nb:y\0z\nc\n', 2],
  ['an indented comment', '  # c\n', undefined],
  ['a no-break space, which is no blank', '\xa0:x\n', undefined],
];
test.each(corrupt)('corruptLine: %s', (_, content, line) => {
  expect(parse(content).corruptLine).toBe(line);
});
