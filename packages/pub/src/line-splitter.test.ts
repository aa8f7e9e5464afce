import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.js';

/** Feeds chunks and collects lines; the sink says no every `refuseEvery` lines. */
function linesOf(chunks: readonly Uint8Array[], refuseEvery = Number.POSITIVE_INFINITY): string[] {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  const sink = {
    write(source: Uint8Array, start: number, end: number): boolean {
      lines.push(Buffer.from(source.subarray(start, end)).toString('latin1'));
      return lines.length % refuseEvery !== 0;
    },
  };
  for (const chunk of chunks) {
    splitter.push(Buffer.from(chunk));
    while (!splitter.give(sink));
  }
  splitter.end(sink);
  expect(splitter.lines).toBe(lines.length);
  return lines;
}

const text = (value: string) => Buffer.from(value, 'latin1');

describe('lines (cli §11.3)', () => {
  test.each([
    ['nothing', '', []],
    ['an empty line', '\n', ['']],
    ['blank lines in between', 'a\n\n\nb\n', ['a', '', '', 'b']],
    ['a last line without LF', 'a\nb', ['a', 'b']],
    ['CR stays', 'a\r\nb\r', ['a\r', 'b\r']],
    ['NUL and bytes above ASCII are data', 'a\0b\n\xff\x80\n', ['a\0b', '\xff\x80']],
    ['long lines', `${'x'.repeat(100_000)}\ny\n`, ['x'.repeat(100_000), 'y']],
  ])('%s', (_name, input, lines) => expect(linesOf([text(input)])).toEqual(lines));

  test('are the same wherever the chunks and the pauses are', () => {
    const input = fc.array(fc.constantFrom(0x0a, 0x0d, 0x00, 0x61, 0xff), { maxLength: 60 });
    const cuts = fc.array(fc.nat(60), { maxLength: 6 });
    fc.assert(
      fc.property(input, cuts, fc.integer({ min: 1, max: 4 }), (values, at, refuseEvery) => {
        const all = Buffer.from(values);
        const edges = [0, ...at.filter((cut) => cut <= all.length), all.length].sort((a, b) => a - b);
        const chunks = edges.slice(1).map((end, index) => all.subarray(edges[index], end));
        const whole = all.toString('latin1').split('\n');
        if (whole.at(-1) === '') whole.pop();
        expect(linesOf(chunks, refuseEvery)).toEqual(whole);
      }),
    );
  });
});

test('counts what a stopped program has read and not handed on', () => {
  const splitter = new LineSplitter();
  splitter.push(text('a\nb\nc\nd'));
  expect(splitter.give({ write: () => false })).toBe(false);
  expect(splitter.lines).toBe(1);
  splitter.abandon();
  expect(splitter.lines).toBe(4);
});

test('counts a line once, also where the sink throws', () => {
  const splitter = new LineSplitter();
  splitter.push(text('a\nb\n'));
  const broken = {
    write: () => {
      throw new Error('too large');
    },
  };
  expect(() => splitter.give(broken)).toThrow('too large');
  splitter.abandon();
  expect(splitter.lines).toBe(2);
});
