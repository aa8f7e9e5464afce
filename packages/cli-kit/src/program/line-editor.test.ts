import { expect, test } from 'vitest';
import { LineEditor } from './line-editor.js';

function type(editor: LineEditor, keys: string) {
  return editor.push(Buffer.from(keys, 'utf8'));
}

// biome-ignore format: one row a line
const lines: [string, string, string][] = [
  ['what was typed', 'secret\r', 'secret'],
  ['a line feed ends it, too', 'secret\n', 'secret'],
  ['Backspace', 'secrx\x7fet\r', 'secret'],
  ['Ctrl-H', 'secrx\bet\r', 'secret'],
  ['Backspace at the start', '\x7f\x7fsecret\r', 'secret'],
  ['Backspace takes a whole character', 'aä€😀\x7f\x7f\r', 'aä'],
  ['Ctrl-U', 'wrong\x15secret\r', 'secret'],
  ['Ctrl-W', 'my wrong  \x17secret\r', 'my secret'],
  ['cursor keys do nothing', 'se\x1b[Dcr\x1b[1;5Cet\x1bOH\r', 'secret'],
  ['an escape sequence takes what belongs to it only', '\x1b[3~secret\r', 'secret'],
  ['other control keys do nothing', '\x01sec\x1aret\x00\r', 'secret'],
  ['blanks and tabs are characters', ' a\tb \r', ' a\tb '],
  ['Ctrl-D in a line does nothing', 'sec\x04ret\r', 'secret'],
  ['an empty line', '\r', ''],
];
test.each(lines)('%s', (_, keys, line) => {
  expect(type(new LineEditor(), keys)).toMatchObject({ kind: 'line', line: Buffer.from(line) });
});

test.each(lines)('%s, one byte at a time', (_, keys, line) => {
  const editor = new LineEditor();
  const results = [...Buffer.from(keys)].map((key) => editor.push(Buffer.of(key)));
  expect(results.slice(0, -1).every(({ kind }) => kind === 'more')).toBe(true);
  expect(results.at(-1)).toMatchObject({ kind: 'line', line: Buffer.from(line) });
});

test('what follows a line is the next one', () => {
  const editor = new LineEditor();
  const first = type(editor, 'one\rtwo\r');
  expect(first).toMatchObject({ kind: 'line', rest: Buffer.from('two\r') });
  expect(type(editor, 'two\r')).toMatchObject({ line: Buffer.from('two') });
});

test('Ctrl-C interrupts, Ctrl-D at the start ends', () => {
  expect(type(new LineEditor(), 'sec\x03')).toEqual({ kind: 'interrupt' });
  expect(type(new LineEditor(), '\x04')).toEqual({ kind: 'end' });
});
