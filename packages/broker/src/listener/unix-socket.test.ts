import { once } from 'node:events';
import { existsSync, linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SocketClient } from '../../test/socket-client.js';
import { type Broker, startBroker } from '../broker.js';
import { silentLog } from '../log/log.js';
import { DEFAULT_LISTENER, type ListenerSettings } from '../settings.js';

let folder: string;
let file: string;
let logged: string[];
const brokers: Broker[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-unix-'));
  file = path.join(folder, 'broker.sock');
  logged = [];
});
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
  rmSync(folder, { recursive: true });
});

async function start(more: Partial<ListenerSettings> = {}): Promise<Broker> {
  const write = (text: string): void => void logged.push(text);
  const broker = await startBroker({
    listeners: [{ ...DEFAULT_LISTENER, port: 0, path: file, allowAnonymous: true, ...more }],
    log: { ...silentLog, info: write, notice: write },
  });
  brokers.push(broker);
  return broker;
}

async function dial(): Promise<Socket> {
  const socket = connect(file);
  await once(socket, 'connect');
  return socket;
}

it('serves clients of a path, with mode 0770, and logs the path as their address (broker §10.2)', async () => {
  const broker = await start();
  expect(broker.url).toBe(`unix:${file}`);
  expect(broker.addresses).toEqual([{ address: file, port: 0 }]);
  expect(statSync(file).mode & 0o7777).toBe(0o770);
  const client = SocketClient.on(await dial());
  await client.introduce({ clientId: 'c' });
  await client.ping();
  expect(logged).toEqual([
    `Opening unix listen socket on path ${file}.`,
    `New connection from ${file}:0 on port 0.`,
    `New client connected from ${file}:0 as c (p4, c1, k0).`,
  ]);
});

it('removes the file at its end', async () => {
  const broker = await start();
  await broker.close();
  expect(existsSync(file)).toBe(false);
});

it('takes the place of a socket that an earlier broker left behind', async () => {
  const stale = createServer().listen(path.join(folder, 'first.sock'));
  await once(stale, 'listening');
  // A server unlinks its own path when it closes, so the file that stays has another name.
  linkSync(path.join(folder, 'first.sock'), file);
  stale.close();
  await start();
  await SocketClient.on(await dial()).introduce();
});

it('does not touch a file that is no socket', async () => {
  writeFileSync(file, 'precious');
  await expect(start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(statSync(file).size).toBe(8);
});

it('refuses a path that the system would cut off', async () => {
  await expect(start({ path: path.join(folder, 'x'.repeat(108)) })).rejects.toMatchObject({
    code: 'ENAMETOOLONG',
  });
});

it('says that its folder is missing', async () => {
  const missing = path.join(folder, 'none');
  await expect(start({ path: path.join(missing, 'broker.sock') })).rejects.toMatchObject({
    code: 'ENOENT',
    path: missing,
  });
});

it('closes what is over max_connections unanswered', async () => {
  await start({ maxConnections: 1 });
  await SocketClient.on(await dial()).introduce();
  expect(await SocketClient.on(await dial()).closed()).toBe('');
  expect(logged).toContain(`Client connection from ${file} denied: max_connections exceeded.`);
});
