import { expect, test } from 'vitest';
import { connack, message } from '../../cli-kit/test/scripted-broker.js';
import { sending, sub } from '../test/run-sub.js';

const HEAD = '\x1b[2J\x1b[1;1HBroker: 127.0.0.1\n';
const messages = [message('a', 'long'), message('b', ''), message('a', '2'), message('no', 'x')];

// What a message prints, then where the cursor goes behind it.
test.each([
  [[], ['long\n', '', '2\n']],
  [['-v'], ['a long\n', 'b (null)\n', 'a 2\n']],
  [
    ['--watch', '-N'],
    ['long', '', '2'],
  ],
  [
    ['-F', '%t=%p'],
    ['a=long\n', 'b=\n', 'a=2\n'],
  ],
])('-w %j', async (args, [first, second, third]) => {
  const outcome = await sub(sending(...messages), '-t', '#', '-T', 'no', '-w', '-C', '3', ...args);
  expect(outcome).toMatchObject({ code: 0, err: '' });
  expect(outcome.out).toBe(
    `${HEAD}\x1b[2;1H${first}\x1b[2;1H\n\x1b[3;1H${second}\x1b[3;1H\n\x1b[2;1H${third}\x1b[3;1H\n`,
  );
});

test('the screen is made ready before there is a broker', async () => {
  const outcome = await sub((_packet, peer) => void peer.send(connack(5)), '-t', 'a', '-w');
  expect(outcome).toMatchObject({ code: 5, out: HEAD });
});
