import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteBuffer } from './byte-sink.js';
import { JsonPayloadWriter } from './json-payload.js';

function reprinted(payload: string | Uint8Array, pretty = false): string {
  const out = new ByteBuffer();
  return new JsonPayloadWriter(out, pretty, 0).write(Buffer.from(payload))
    ? out.view().toString()
    : 'rejected';
}

describe('numbers keep their text (P-7)', () => {
  test.each([
    '27.0',
    '1e3',
    '1E+3',
    '1e-7',
    '0.00001',
    '999999999999999',
    '1000000000000000',
    '1234567890123456',
    '9007199254740993',
    '0.30000000000000004',
    '123456789.123456789',
    '12345678901234567890',
    '-0',
    '0',
    '-1',
    '1e400',
    '-1.5e-10',
    '1'.repeat(400),
    '0e0',
    '0.10',
  ])('%s', (text) => {
    expect(reprinted(text)).toBe(text);
    expect(reprinted(`{"a":[${text} ]}`)).toBe(`{"a":[${text}]}`);
  });

  // Numbers for C's strtod only: nothing that reads JSON would take them as they are.
  test.each([
    ['01', '1'],
    ['00', '0'],
    ['-007', '-7'],
    ['00.50', '0.50'],
    ['1.', '1'],
    ['1.e5', '1e5'],
    ['-.5', '-0.5'],
    ['-.5e+1', '-0.5e+1'],
    ['01.', '1'],
    ['000e1', '0e1'],
  ])('%s becomes %s', (text, number) => {
    expect(reprinted(text)).toBe(number);
    expect(JSON.parse(number)).toBe(Number(text));
  });

  test.each([
    '+1',
    '.5',
    '1e',
    '1e+',
    '-',
    '-.',
    '--1',
    '-+1',
    'NaN',
    '-Infinity',
    'inf',
    '0x10',
    '1.2.3',
    '1-2',
    '1e5.5',
    '1_0',
  ])('%s is none', (text) => {
    expect(reprinted(text)).toBe('rejected');
    expect(reprinted(`[${text}]`)).toBe('rejected');
  });
});

describe('what is accepted (cli §15.3)', () => {
  test.each<[string | Buffer, string]>([
    ['{"b":1,"1":2,"0":3,"b":4}', '{"b":1,"1":2,"0":3,"b":4}'],
    [' \t\r\n\x01\x1f{ "a"\x0b:\x02[ 1 , true ,null\n]\f, "b":false } ', '{"a":[1,true,null],"b":false}'],
    ['\ufeff[1]', '[1]'],
    ['"\\u00e9\\/\\b\\f\\n\\r\\t\\"\\\\"', '"é/\\b\\f\\n\\r\\t\\"\\\\"'],
    ['"\\ud83d\\uDE00"', '"😀"'],
    ['"a\\u0000b"', '"a"'],
    ['{"k\\u0000l":"\\u0000"}', '{"k":""}'],
    ['"a\nb\x01\x7f"', '"a\\nb\\u0001\x7f"'],
    [Buffer.from('"a\xffb"', 'latin1'), '"a\ufffdb"'],
    [Buffer.from('{"\xe9":1}', 'latin1'), '{"\ufffd":1}'],
    ['""', '""'],
    ['[]', '[]'],
    ['{}', '{}'],
    ['[[],{},[{}]]', '[[],{},[{}]]'],
    ['{"__proto__":1,"":""}', '{"__proto__":1,"":""}'],
  ])('%j', (payload, text) => {
    expect(reprinted(payload)).toBe(text);
  });
});

test.each([
  '',
  ' ',
  '{',
  '[',
  '[1',
  '[1,]',
  '[,1]',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{a:1}',
  "'a'",
  '"a',
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\ud83d"',
  '"\\ud83dx"',
  '"\\ud83d\\u0041"',
  '"\\ude00"',
  '"\\',
  'True',
  'NULL',
  'nul',
  'truex',
  '1 2',
  '[1] x',
  '/**/1',
  '[1}',
  '{"a":1]',
  '1\0',
  '\0',
  '"a\0"',
  '[1 2]',
  '{"a" "b"}',
  '{1:2}',
  ']',
  '\ufeff',
  ':',
])('%j is rejected (cli §15.3)', (payload) => {
  expect(reprinted(payload)).toBe('rejected');
});

test('nesting goes to 1000 levels', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const nested = (levels: number) => open.repeat(levels) + (open === '[' ? '' : '1') + close.repeat(levels);
    expect(reprinted(nested(1000))).toBe(nested(1000));
    expect(reprinted(nested(1001))).toBe('rejected');
  }
  expect(reprinted('['.repeat(1_000_000))).toBe('rejected');
  expect(reprinted(`[${'[],'.repeat(2000)}1]`)).toBe(`[${'[],'.repeat(2000)}1]`);
});

test('what JSON.stringify writes comes back as it is', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
      fc.pre(!/\\u(?:d[89a-f]|0000)/i.test(text) && !text.includes('__proto__'));
      expect(reprinted(text)).toBe(text);
    }),
  );
});

test('--pretty lays out nested values', () => {
  expect(reprinted('[[1,2],{"a":[{"b":{}},{}]}]', true)).toBe(
    '[[1, 2], {\n\t\t"a":\t[{\n\t\t\t\t"b":\t{\n\t\t\t\t}\n\t\t\t}, {\n\t\t\t}]\n\t}]',
  );
});
