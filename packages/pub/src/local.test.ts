import { once } from 'node:events';
import { createServer, connect as openSocket } from 'node:net';
import { connect, tcp } from '@tsmqtt/client';
import { expect, onTestFinished, test } from 'vitest';
import { bytes, MemoryIo } from '../../cli-kit/test/memory-io.js';
import { run } from './run.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function pub(port: number, args: readonly string[], stdin = '') {
  const io = new MemoryIo({ stdin });
  const code = await run(bytes(['--local', '-p', String(port), '-t', 'a', ...args]), io);
  return { code, err: io.err };
}

test.each(['0', '1', '2'])('a message that reached nobody is no success, QoS %s (P-29)', async (qos) => {
  expect(await pub(await freePort(), ['-m', 'x', '-q', qos])).toEqual({
    code: 1,
    err: 'Error: no --local subscriber is running; 1 messages reached nobody.\n',
  });
});

test('lines count one by one', async () => {
  expect(await pub(await freePort(), ['-l'], 'one\ntwo\nthree\n')).toEqual({
    code: 1,
    err: 'Error: no --local subscriber is running; 3 messages reached nobody.\n',
  });
});

test('a subscriber that joined the publisher in time gets everything, flushed before the end', async () => {
  const port = await freePort();
  const io = new MemoryIo();
  const ended = run(bytes(['--local', '-p', String(port), '-t', 'a', '-l']), io);
  await listening(port);
  const received: string[] = [];
  const client = await connect({
    connector: tcp({ host: '127.0.0.1', port }),
    onMessage: ({ payload }) => {
      received.push(Buffer.from(payload).toString());
      return 0;
    },
  });
  onTestFinished(() => client.destroy());
  await client.subscribe([
    { filter: 'a', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
  ]);
  const expected = Array.from({ length: 5000 }, (_, index) => String(index));
  io.keyboard.end(expected.join('\n'));
  expect([await ended, io.err]).toEqual([0, '']);
  await client.closed;
  expect(received).toEqual(expected);
});

/** Waits until somebody listens on the port: an attempt a turn, the port says when. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = openSocket(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await new Promise(setImmediate);
  }
}
