import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SocketClient } from '../../test/socket-client.js';
import { Realms } from '../auth/realm.js';
import { NO_SECRETS } from '../auth/secrets.js';
import { Engine } from '../engine.js';
import { silentLog } from '../log/log.js';
import { DEFAULT_LISTENER, DEFAULT_SETTINGS } from '../settings.js';
import { Acceptor } from './acceptor.js';
import type { Incoming, Layer } from './layer.js';

let now = 0;
let engine: Engine;
let server: Server | undefined;
let acceptor: Acceptor | undefined;
beforeEach(() => {
  now = 1000;
  const realms = new Realms(DEFAULT_SETTINGS, () => NO_SECRETS);
  engine = new Engine(DEFAULT_SETTINGS, silentLog, { now: () => now }, realms);
});
afterEach(() => {
  for (const connection of engine.connections) connection.destroy();
  acceptor?.close();
  server?.close();
});

/** What reached a layer, and how to let it pass. */
interface Stop {
  readonly incoming: Incoming;
  readonly pass: (next: Incoming) => void;
}

/** A layer that lets pass whom the test lets pass. */
class Gate {
  readonly stops: Stop[] = [];
  #wake = (): void => {};
  readonly layer: Layer = (incoming, pass) => {
    this.stops.push({ incoming, pass });
    this.#wake();
  };

  async next(): Promise<Stop> {
    while (this.stops.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.stops.shift() as Stop;
  }
}

async function listen(
  ...layers: Layer[]
): Promise<{ acceptor: Acceptor; client: () => Promise<SocketClient> }> {
  const made = new Acceptor(engine, DEFAULT_LISTENER, layers, { open: 0 });
  acceptor = made;
  server = createServer((socket) => made.accept(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { acceptor: made, client: () => SocketClient.open(port) };
}

it('leads a socket through the layers in their order, and then makes a connection of it', async () => {
  const passed: string[] = [];
  const outer = new Gate();
  const inner: Layer = ({ socket, peer }, pass) => {
    passed.push(peer.address);
    pass({ socket, peer: { ...peer, identity: { commonName: 'somebody', subject: undefined } } });
  };
  const { client } = await listen(outer.layer, inner);
  const socket = await client();
  const { incoming, pass } = await outer.next();
  expect(engine.connections.size).toBe(0);
  pass({ socket: incoming.socket, peer: { address: '192.0.2.1', port: 7 } });
  expect(passed).toEqual(['192.0.2.1']);
  expect([...engine.connections].map(({ peer }) => peer)).toEqual([
    { address: '192.0.2.1', port: 7, identity: { commonName: 'somebody', subject: undefined } },
  ]);
  await socket.introduce();
});

it('closes who has not passed in 30 s', async () => {
  const gate = new Gate();
  const { acceptor, client } = await listen(gate.layer);
  const socket = await client();
  await gate.next();
  now += 30_000;
  acceptor.sweep(now);
  const late = await client();
  await gate.next();
  now += 1;
  acceptor.sweep(now);
  expect(await socket.closed()).toBe('');
  expect(late.socket.destroyed).toBe(false);
});

it('counts the time for CONNECT from the beginning', async () => {
  const gate = new Gate();
  const { client } = await listen(gate.layer);
  const socket = await client();
  const { incoming, pass } = await gate.next();
  now += 20_000;
  pass(incoming);
  now += 10_000;
  engine.sweep();
  expect(engine.connections.size).toBe(1);
  now += 1;
  engine.sweep();
  expect(await socket.closed()).toBe('');
});

it('makes no connection of a socket that closed on its way', async () => {
  const gate = new Gate();
  const { client } = await listen(gate.layer);
  (await client()).socket.destroy();
  const { incoming, pass } = await gate.next();
  incoming.socket.resume();
  incoming.socket.destroy();
  pass(incoming);
  expect(engine.connections.size).toBe(0);
});

it('ends those on their way when the broker ends', async () => {
  const gate = new Gate();
  const { acceptor, client } = await listen(gate.layer);
  const socket = await client();
  await gate.next();
  acceptor.close();
  expect(await socket.closed()).toBe('');
});

it.each([
  ['mqtt', 4, 2],
  ['mqtt', -1, 0],
  ['http_api', 4, 0],
] as const)(
  '%s with max_connections %i: of four that do not go on, %i are closed after 5 s',
  async (protocol, maxConnections, closed) => {
    const gate = new Gate();
    const { acceptor, client } = await listen(gate.layer);
    acceptor.update({ ...DEFAULT_LISTENER, protocol, maxConnections }, undefined);
    const sockets: Incoming['socket'][] = [];
    for (let count = 0; count < 4; count++) {
      await client();
      sockets.push((await gate.next()).incoming.socket);
    }
    const gone = (): number => sockets.filter(({ destroyed }) => destroyed).length;
    acceptor.sweep(now + 5000);
    expect(gone()).toBe(0);
    acceptor.sweep(now + 5001);
    expect(gone()).toBe(closed);
    // Those that came first.
    expect(sockets.slice(0, closed).every(({ destroyed }) => destroyed)).toBe(true);
    acceptor.sweep(now + 30_001);
    expect(gone()).toBe(4);
  },
);
