import { expect, it } from 'vitest';
import { parsePreSharedKeys } from './psk-file.js';

const parse = (text: string): [string, string][] =>
  [...parsePreSharedKeys(Buffer.from(text), 'f')].map(([identity, key]) => [identity, key.toString('hex')]);

it('reads identities and keys (broker §4.3)', () => {
  expect(parse('# c:00\n\nno colon\none:0badCAFE\r\n two : 00ab \nodd:abc\none:ff')).toEqual([
    ['one', '0badcafe'],
    ['two', '00ab'],
    ['odd', '0abc'],
  ]);
});

it('takes what mosquitto_pub takes at most', () => {
  expect(parse(`a:${'f'.repeat(512)}`)).toEqual([['a', 'f'.repeat(512)]]);
});

it.each([
  ['a:12\nb:0x12', 'b', 'contains non-hexadecimal characters', 2],
  ['a:', 'a', 'is empty', 1],
  [`a:${'f'.repeat(513)}`, 'a', 'is longer than 256 bytes', 1],
])('%s is refused', (text, identity, fault, line) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({
      exitCode: 3,
      lines: [`Error: psk for identity "${identity}" ${fault}. (f:${line})`],
    }),
  );
});
