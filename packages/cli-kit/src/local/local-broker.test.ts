import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { joinLocalBroker, type LocalBroker } from './local-broker.js';

/** A port of 127.0.0.1 that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function join(port: number): Promise<LocalBroker> {
  const broker = await joinLocalBroker(port);
  onTestFinished(() => broker.close());
  return broker;
}

async function reachable(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('who comes first hosts, on 127.0.0.1 and nowhere else; who comes later joins', async () => {
  const port = await freePort();
  const first = await join(port);
  const second = await join(port);
  expect([first.endpoint, second.endpoint]).toEqual([
    { host: '127.0.0.1', port },
    { host: '127.0.0.1', port },
  ]);
  await second.close();
  expect(await reachable('127.0.0.1', port)).toBe(true);
  expect(await reachable('127.0.0.2', port)).toBe(false);
  await first.close();
  expect(await reachable('127.0.0.1', port)).toBe(false);
});

test('several at once: one hosts', async () => {
  const port = await freePort();
  const all = await Promise.all([1, 2, 3, 4].map(() => join(port)));
  expect(new Set(all.map((broker) => broker.endpoint.port))).toEqual(new Set([port]));
  expect(await reachable('127.0.0.1', port)).toBe(true);
});

test('a broker that is there already is simply used', async () => {
  const foreign = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  onTestFinished(() => {
    foreign.close();
  });
  const { port } = foreign.address() as { port: number };
  const joined = await join(port);
  expect(joined.endpoint.port).toBe(port);
  await joined.close();
  expect(foreign.listening).toBe(true);
});
