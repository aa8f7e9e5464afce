import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from './support/free-port.js';
import { runProgram, startProgram, startSubscriber } from './support/programs.js';

async function local(): Promise<string[]> {
  return ['--local', '-p', String(await freePort())];
}

test('a subscriber hosts the broker, a publisher joins it', async () => {
  const at = await local();
  const subscriber = await startSubscriber([...at, '-t', '#', '-v']);
  const { code, stderr } = await runProgram('tsmqtt-pub', [...at, '-t', 'a', '-m', 'hi']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await subscriber.message('a hi');
  expect(await subscriber.stop()).toEqual(['a hi']);
});

test('a publisher of lines hosts the broker, a subscriber joins it', async () => {
  const at = await local();
  const publisher = startProgram('tsmqtt-pub', [...at, '-t', 'a', '-l', '-q', '1']);
  // Until the publisher listens, the subscriber would host.
  await reachable(Number(at[2]));
  const subscriber = await startSubscriber([...at, '-t', 'a']);
  publisher.stdin.end('one\ntwo\n');
  expect(await publisher.ended).toMatchObject({ code: 0, stderr: '' });
  expect(subscriber.messages).toEqual(['one', 'two']);
});

test('several subscribers share one broker', async () => {
  const at = await local();
  const first = await startSubscriber([...at, '-t', 'a']);
  const second = await startSubscriber([...at, '-t', 'a']);
  await runProgram('tsmqtt-pub', [...at, '-t', 'a', '-m', 'hi', '-q', '2']);
  await Promise.all([first.message('hi'), second.message('hi')]);
});

test('a publisher that nobody listens to says so and fails (P-29)', async () => {
  const { code, stderr } = await runProgram('tsmqtt-pub', [...(await local()), '-t', 'a', '-m', 'hi']);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'Error: no --local subscriber is running; 1 messages reached nobody.\n',
  });
});

async function reachable(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
