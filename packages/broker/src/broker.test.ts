import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Verdict } from '@tsmqtt/credentials';
import { encodePacket } from '@tsmqtt/protocol';
import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { connectPacket, PINGREQ, publishPacket, subscribePacket } from '../test/raw-client.js';
import { SocketClient } from '../test/socket-client.js';
import { WebClient } from '../test/web-client.js';
import { type Broker, type BrokerOptions, startBroker } from './broker.js';
import { silentLog } from './log/log.js';
import { DEFAULT_LISTENER, DEFAULT_SETTINGS, type ListenerSettings } from './settings.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function start(options: BrokerOptions = {}): Promise<Broker> {
  const broker = await startBroker({ port: 0, ...options });
  open.push(() => broker.close());
  return broker;
}

/** A free port of all addresses, so that it is taken whatever a name stands for. */
async function listen(server: Server): Promise<number> {
  server.listen(0);
  await once(server, 'listening');
  open.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Tries until it works, or the test's time is over. */
function insist<T>(attempt: () => Promise<T>): Promise<T> {
  return attempt().catch(() => insist(attempt));
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const on = (port: number, more: Partial<ListenerSettings> = {}): ListenerSettings => ({
  ...DEFAULT_LISTENER,
  host: '127.0.0.1',
  port,
  ...more,
});

const will = (topic: string, delay = 0) => ({
  topic,
  payload: Buffer.from('gone'),
  qos: 0 as const,
  retain: false,
  properties: delay > 0 ? [{ name: 'willDelayInterval', value: delay } as const] : [],
});
/** PUBLISH of such a will to a 3.1.1 client. */
const sent = (topic: string): string =>
  Buffer.concat([
    Buffer.from([0x30, 6 + topic.length, 0, topic.length]),
    Buffer.from(`${topic}gone`),
  ]).toString('hex');

describe('startBroker', () => {
  it('takes a free port, and says where it is', async () => {
    const broker = await start();
    expect(broker.port).toBeGreaterThan(0);
    expect(broker.url).toBe(`mqtt://127.0.0.1:${broker.port}`);
    expect(broker.addresses).toEqual([{ address: '127.0.0.1', port: broker.port }]);
    await (await SocketClient.connect(broker.port)).ping();
  });

  it('listens on the host that it is given', async () => {
    const broker = await start({ host: '127.0.0.2' });
    expect(broker.url).toBe(`mqtt://127.0.0.2:${broker.port}`);
    await (await SocketClient.connect(broker.port, {}, '127.0.0.2')).ping();
  });

  it('runs several listeners over the same sessions', async () => {
    const { port: _port, ...listeners } = { port: 0, listeners: [on(0), on(0)], allowAnonymous: true };
    const broker = await startBroker(listeners);
    open.push(() => broker.close());
    const [first, second] = broker.addresses.map(({ port }) => port) as [number, number];
    expect(first).not.toBe(second);
    const subscriber = await SocketClient.connect(first, { clientId: 'subscriber' });
    subscriber.send(subscribePacket({ a: 0 }));
    await subscriber.ping();
    (await SocketClient.connect(second)).send(publishPacket('a', '1'));
    await subscriber.until((bytes) => bytes.endsWith('300400016131'));
  });

  it('runs several brokers in one process that share nothing', async () => {
    const [one, two] = [await start(), await start()];
    const clients = [];
    for (const broker of [one, two]) {
      const client = await SocketClient.connect(broker.port, { clientId: 'same' });
      client.send(subscribePacket({ '#': 0 }));
      await client.ping();
      clients.push(client);
    }
    const publisher = await SocketClient.connect(one.port, { clientId: 'publisher' });
    publisher.send(publishPacket('a', '1', { retain: true }));
    await publisher.ping();
    await Promise.all(clients.map((client) => client.ping()));
    expect(clients.map(({ bytes }) => bytes.includes('300400016131'))).toEqual([true, false]);
    expect([one.counters.received, two.counters.received]).toEqual([1, 0]);
    await one.close();
    await clients[1]?.ping();
  });

  it('counts', async () => {
    const broker = await start();
    const client = await SocketClient.connect(broker.port);
    client.send(subscribePacket({ a: 0, '#': 0 }), publishPacket('a', '1'), publishPacket('$b', '2'));
    await client.ping();
    expect(broker.counters).toMatchObject({ received: 2, sent: 2, dropped: 0, unmatched: 1 });
  });

  it('reads its ACL file, and again at a reload', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tsmqtt-broker-'));
    open.push(() => rm(folder, { recursive: true }));
    const aclFile = path.join(folder, 'acl');
    await writeFile(aclFile, 'topic write a\n', { mode: 0o600 });
    const broker = await start({ aclFile });
    const client = await SocketClient.connect(broker.port, { protocolVersion: 5 });
    client.send(
      publishPacket('a', '1', { qos: 1, packetId: 1 }),
      publishPacket('b', '1', { qos: 1, packetId: 2 }),
    );
    // PUBACK 0x10: nobody subscribed; 0x87: not authorized.
    await client.until((bytes) => bytes.endsWith('4003000110' + '4003000287'));
    await writeFile(aclFile, 'topic write b\n');
    await broker.reload({ ...DEFAULT_SETTINGS, listeners: [on(0)], aclFile });
    client.send(
      publishPacket('a', '1', { qos: 1, packetId: 1 }),
      publishPacket('b', '1', { qos: 1, packetId: 2 }),
    );
    await client.until((bytes) => bytes.endsWith('4003000187' + '4003000210'));
  });

  it('reads its password file', async () => {
    await expect(startBroker({ port: 0, passwordFile: '/nowhere/passwd' })).rejects.toMatchObject({
      code: 'secret-file-unopened',
    });
  });
});

describe('a listener that cannot be opened', () => {
  it('rejects with EADDRINUSE, and leaves nothing open', async () => {
    const taken = await listen(createServer());
    const free = await freePort();
    await expect(startBroker({ listeners: [on(free), on(taken)] })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await expect(SocketClient.open(free)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('rejects even when somebody has connected to another one by then', async () => {
    const taken = await listen(createServer());
    const free = await freePort();
    // Looking up names takes turns of the event loop, in which somebody gets in.
    const slow = Array.from({ length: 50 }, () => on(0, { host: 'localhost' }));
    const starting = startBroker({ listeners: [on(free), ...slow, on(taken)] }).catch((error) => error);
    const early = await insist(() => SocketClient.open(free));
    expect(await starting).toMatchObject({ code: 'EADDRINUSE' });
    expect(await early.closed()).toBe('');
  });

  it('rejects for an address that the machine does not have', async () => {
    await expect(startBroker({ port: 0, host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });
});

describe('max_connections', () => {
  it('closes what is over it unanswered, until somebody leaves (broker T-42)', async () => {
    const notices: string[] = [];
    const log = { ...silentLog, notice: (text: string) => void notices.push(text) };
    const broker = await startBroker({
      listeners: [on(0, { maxConnections: 2 })],
      allowAnonymous: true,
      log,
    });
    open.push(() => broker.close());
    const first = await SocketClient.connect(broker.port, { clientId: '1' });
    // Without CONNECT it is a connection too.
    await SocketClient.open(broker.port);
    await first.ping();
    const third = await SocketClient.open(broker.port);
    expect(await third.closed()).toBe('');
    expect(notices).toContain('Client connection from 127.0.0.1 denied: max_connections exceeded.');
    await first.ping();
    first.send('e0 00');
    await first.closed();
    // The broker sees the end a little later than its client.
    await (await insist(() => SocketClient.connect(broker.port, { clientId: '4' }))).ping();
  });

  it.each([0, -1])('%i is no limit', async (maxConnections) => {
    const broker = await startBroker({ listeners: [on(0, { maxConnections })], allowAnonymous: true });
    open.push(() => broker.close());
    for (const clientId of ['1', '2', '3'])
      await (await SocketClient.connect(broker.port, { clientId })).ping();
  });

  it('counts the sockets of both address families together', async () => {
    const broker = await startBroker({
      listeners: [on(0, { host: undefined, maxConnections: 1 })],
      localOnly: true,
    });
    open.push(() => broker.close());
    const sixth = broker.addresses.find(({ address }) => address === '::1');
    // A machine without IPv6 has one socket, and nothing to count together.
    if (sixth === undefined) return;
    await (await SocketClient.connect(broker.port)).ping();
    expect(await (await SocketClient.open(sixth.port, '::1')).closed()).toBe('');
  });
});

describe('global_max_connections', () => {
  it('counts over all listeners, and reload changes it', async () => {
    const notices: string[] = [];
    const log = { ...silentLog, notice: (text: string) => void notices.push(text) };
    const settings = { listeners: [on(0), on(0)], allowAnonymous: true, globalMaxConnections: 1 };
    const broker = await startBroker({ ...settings, log });
    open.push(() => broker.close());
    const [first, second] = broker.addresses.map(({ port }) => port) as [number, number];
    await SocketClient.connect(first, { clientId: '1' });
    expect(await (await SocketClient.open(second)).closed()).toBe('');
    expect(notices).toContain('Client connection from 127.0.0.1 denied: global_max_connections exceeded.');
    await broker.reload({ ...DEFAULT_SETTINGS, ...settings, globalMaxConnections: 2 }, undefined);
    await (await SocketClient.connect(second, { clientId: '2' })).ping();
    expect(await (await SocketClient.open(first)).closed()).toBe('');
  });
});

describe('close()', () => {
  it('closes clients without DISCONNECT, and resolves when all is closed', async () => {
    const broker = await start();
    const clients = [
      await SocketClient.connect(broker.port, { clientId: '5', protocolVersion: 5 }),
      await SocketClient.connect(broker.port, { clientId: '4' }),
      await SocketClient.open(broker.port),
    ];
    await clients[0]?.ping();
    await broker.close();
    expect(await Promise.all(clients.map((client) => client.closed()))).toEqual(['d000', '', '']);
    await expect(SocketClient.open(broker.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('can be called again', async () => {
    const broker = await start();
    await Promise.all([broker.close(), broker.close()]);
    await broker.close();
  });

  it('gives the port back', async () => {
    const broker = await start();
    await SocketClient.connect(broker.port);
    await broker.close();
    await (await SocketClient.connect((await start({ port: broker.port })).port)).ping();
  });

  it('sends every will, delayed ones too, to everybody who is there (broker §6)', async () => {
    const broker = await start();
    const watch = async (clientId: string): Promise<SocketClient> => {
      const client = await SocketClient.connect(broker.port, { clientId });
      client.send(subscribePacket({ 'w/#': 0 }));
      await client.ping();
      return client;
    };
    const lasting = [{ name: 'sessionExpiryInterval', value: 100 } as const];
    const early = await watch('early');
    await SocketClient.connect(broker.port, { clientId: 'plain', will: will('w/1') });
    await SocketClient.connect(broker.port, {
      clientId: 'delayed',
      protocolVersion: 5,
      properties: lasting,
      will: will('w/2', 100),
    });
    const away = await SocketClient.connect(broker.port, {
      clientId: 'away',
      protocolVersion: 5,
      properties: lasting,
      will: will('w/3', 100),
    });
    away.socket.destroy();
    await away.closed();
    const late = await watch('late');
    await broker.close();
    for (const watcher of [early, late]) {
      const bytes = await watcher.closed();
      expect(['w/1', 'w/2', 'w/3'].map((topic) => bytes.split(sent(topic)).length - 1)).toEqual([1, 1, 1]);
    }
  });

  it('writes out what a client has not read yet', async () => {
    const broker = await start();
    const client = await SocketClient.connect(broker.port);
    client.send(subscribePacket({ a: 0 }));
    await client.ping();
    const before = client.bytes.length / 2;
    const payload = Buffer.alloc(50_000, 'x');
    const publisher = await SocketClient.connect(broker.port, { clientId: 'publisher' });
    publisher.send(...Array.from({ length: 4 }, () => publishPacket('a', payload)));
    // The answer comes behind all four, which are on their way to the subscriber by then.
    await publisher.ping();
    await broker.close();
    expect((await client.closed()).length / 2 - before).toBe(4 * (payload.length + 7));
  });

  it('leaves nothing that keeps a process alive', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tsmqtt-'));
    open.push(() => rm(folder, { recursive: true }));
    const outfile = path.join(folder, 'run.mjs');
    const resolveDir = fileURLToPath(new URL('.', import.meta.url));
    const contents = `
      import { connect } from 'node:net';
      import { startBroker } from './broker.js';
      const broker = await startBroker({ port: 0 });
      const socket = connect(broker.port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write(Buffer.from('100d00044d51545404020000000161', 'hex'));
      await new Promise((resolve) => socket.once('data', resolve));
      await broker.close();
      console.log('closed');
    `;
    const conditions = ['@tsmqtt/source'];
    const bundle = { bundle: true, platform: 'node', format: 'esm', conditions, outfile } as const;
    await build({ stdin: { contents, resolveDir }, ...bundle, logLevel: 'error' });
    const child = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    // Ends by itself, or the test runs into its time limit.
    const [code] = await once(child, 'close');
    expect({ code, output }).toEqual({ code: 0, output: 'closed\n' });
  });
});

describe('authMethods', () => {
  const name = 'SCRAM-SHA-256';
  const by = (method: string, data: string) => ({
    protocolVersion: 5 as const,
    properties: [
      { name: 'authenticationMethod' as const, value: method },
      { name: 'authenticationData' as const, value: Buffer.from(data) as Uint8Array },
    ],
  });
  const answer = async (broker: Broker, method: string, data: string) => {
    const client = await SocketClient.open(broker.port, undefined, 5);
    client.send(connectPacket(by(method, data)));
    await client.until((bytes) => bytes.length > 6);
    return `${client.bytes.slice(0, 2)} ${client.bytes.slice(6, 8)}`;
  };

  it('decide who comes in, one of the name of scramFile in its place', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tsmqtt-broker-'));
    open.push(() => rm(folder, { recursive: true }));
    const scramFile = path.join(folder, 'scram');
    await writeFile(scramFile, '', { mode: 0o600 });
    const decide = (_client: unknown, data: Uint8Array | undefined) =>
      Buffer.from(data ?? []).toString() === 'right'
        ? ({ result: 'accept', username: 'ann' } as const)
        : ({ result: 'refuse' } as const);
    const authMethods = [{ name: 'TOKEN', start: decide }];
    const broker = await start({ scramFile, authMethods });
    expect(await answer(broker, 'TOKEN', 'right')).toBe('20 00');
    expect(await answer(broker, 'TOKEN', 'wrong')).toBe('20 87');
    expect(await answer(broker, name, 'n,,n=a,r=x')).toMatch(/^f0/);
    const instead = await start({ scramFile, authMethods: [{ name, start: decide }] });
    expect(await answer(instead, name, 'right')).toBe('20 00');
  });
});

describe('reload()', () => {
  const verdicts = (accepted: readonly string[]) =>
    ({
      verify: (username: string) =>
        Promise.resolve<Verdict>(accepted.includes(username) ? 'accepted' : 'refused'),
    }) as unknown as NonNullable<BrokerOptions['verifier']>;
  const user = (username: string) => ({ clientId: username, username, password: Buffer.from('x') });

  it('takes new passwords, and closes who does not hold any more', async () => {
    const broker = await start({ allowAnonymous: false, verifier: verdicts(['one', 'two']) });
    const [one, two] = [
      await SocketClient.connect(broker.port, user('one')),
      await SocketClient.connect(broker.port, user('two')),
    ];
    await broker.reload(
      { ...DEFAULT_SETTINGS, listeners: [on(0)], allowAnonymous: false },
      verdicts(['two']),
    );
    expect(await one.closed()).toBe('');
    await two.ping();
    // Without others they stay.
    await broker.reload({ ...DEFAULT_SETTINGS, listeners: [on(0)], allowAnonymous: false });
    const again = await SocketClient.connect(broker.port, user('one'));
    expect(await again.closed()).toBe('');
  });

  it("goes by the listener's new settings for those who are connected too", async () => {
    const listener = on(0, { allowAnonymous: true });
    const broker = await startBroker({ listeners: [listener] });
    open.push(() => broker.close());
    const client = await SocketClient.connect(broker.port, { protocolVersion: 5 });
    await broker.reload({ ...DEFAULT_SETTINGS, listeners: [{ ...listener, allowAnonymous: false }] });
    expect(await client.closed()).toBe('');
  });

  it('bounds WebSocket messages by the max_packet_size that comes into force with it', async () => {
    const listeners = [on(0, { protocol: 'websockets' })];
    const broker = await startBroker({ listeners, maxPacketSize: 70_000, allowAnonymous: true });
    open.push(() => broker.close());
    await broker.reload({ ...DEFAULT_SETTINGS, listeners, maxPacketSize: 200_000, allowAnonymous: true });
    const client = await WebClient.upgrade(broker.port);
    client.send(connectPacket({}));
    const large = 'x'.repeat(100_000);
    client.send(publishPacket('a', large, { qos: 1 }));
    await client.until(({ frames }) => frames.length === 2);
    expect(client.frames).toEqual(['2 20020000', '2 40020001']);
  });

  it('comes to the last of two that overlap', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tsmqtt-reload-'));
    open.push(() => rm(folder, { recursive: true }));
    const aclFile = path.join(folder, 'acl');
    await writeFile(aclFile, 'topic readwrite #\n', { mode: 0o600 });
    const broker = await start();
    const settings = { ...DEFAULT_SETTINGS, listeners: [on(0)] };
    // The first has a file to read, the second none.
    await Promise.all([
      broker.reload({ ...settings, allowAnonymous: false, aclFile }),
      broker.reload({ ...settings, allowAnonymous: true }),
    ]);
    const client = await SocketClient.open(broker.port, '127.0.0.1', 4);
    client.socket.write(encodePacket(connectPacket({}), 4));
    await client.until((bytes) => bytes === '20020000');
  });

  it('keeps sessions, subscriptions and retained messages', async () => {
    const broker = await start();
    const client = await SocketClient.connect(broker.port);
    client.send(publishPacket('a', '1', { retain: true }), subscribePacket({ b: 0 }));
    await client.ping();
    await broker.reload({ ...DEFAULT_SETTINGS, listeners: [on(0)] });
    client.send(publishPacket('b', '2'), subscribePacket({ a: 0 }), PINGREQ);
    await client.until((bytes) => bytes.endsWith('310400016131d000'));
    expect(client.bytes).toContain('300400016232');
  });
});

describe('strangers', () => {
  // biome-ignore format: one row a line
  it.each([
    ['127.0.0.1', {}, '20020000'],
    ['localhost', {}, '20020000'],
    ['0.0.0.0', {}, '20020005'],
    ['0.0.0.0', { allowAnonymous: true }, '20020000'],
    ['127.0.0.1', { allowAnonymous: false }, '20020005'],
  ])('at %s with %j are answered %s', async (host, options, connack) => {
    const broker = await startBroker({ port: 0, host, ...options });
    open.push(() => broker.close());
    const client = await SocketClient.open(broker.port, '127.0.0.1', 4);
    client.socket.write(encodePacket(connectPacket({}), 4));
    await client.until((bytes) => bytes === connack);
  });
});
