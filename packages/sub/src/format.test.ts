import { expect, test } from 'vitest';
import { message } from '../../cli-kit/test/scripted-broker.js';
import { sending, sub } from '../test/run-sub.js';

test.each([
  [['-v', '-F', '%t|%5p|%r'], 'a/b|    x|0\né|     |0\n'],
  [['-N', '-F', '%l'], '10'],
])('%j', async (args, out) => {
  const outcome = await sub(sending(message('a/b', 'x'), message('é', '')), '-t', '#', '-C', '2', ...args);
  expect(Buffer.from(outcome.out, 'latin1').toString()).toBe(out);
  expect(outcome).toMatchObject({ code: 0, err: '' });
});
test('j', async () => {
  const outcome = await sub(sending(message('a/b', '[')), '-t', '#', '-C', '1', '-F', '%J!');
  expect(outcome).toMatchObject({
    code: 0,
    out: '!\n',
    err: 'Error: Message payload is not valid JSON on topic a/b.\n',
  });
});
