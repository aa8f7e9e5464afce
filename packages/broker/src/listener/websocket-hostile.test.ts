import { once } from 'node:events';
import { PacketType } from '@tsmqtt/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { EngineHost, LISTENER } from '../../test/engine-host.js';
import { MemorySocket, Traffic } from '../../test/memory-socket.js';
import { bytesOf, connectPacket, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { SocketClient } from '../../test/socket-client.js';
import { frame, request, WebClient } from '../../test/web-client.js';
import type { BrokerSettings, ListenerSettings } from '../settings.js';
import { websocketLayer } from './websocket-layer.js';

const WEB: ListenerSettings = { ...LISTENER, protocol: 'websockets' };
/** The beginning of a frame of 1 MB, without a mask to speak of. */
const MEGABYTE = Buffer.from('82ff000000000010000000000000', 'hex');

let host: EngineHost;
afterEach(() => host.stop());

async function start(settings: Partial<BrokerSettings> = {}): Promise<void> {
  host = await EngineHost.start({ listeners: [WEB, LISTENER], ...settings });
}

async function connected(keepAlive = 0): Promise<WebClient> {
  const client = await WebClient.upgrade(host.port);
  client.send(connectPacket({ keepAlive }));
  await client.until(({ frames }) => frames.length === 1);
  return client;
}

describe('keep-alive', () => {
  it('counts the bytes of a message that takes long to come (broker §9.6)', async () => {
    await start();
    const client = await connected(2);
    client.write(MEGABYTE);
    for (let second = 0; second < 10; second++) {
      client.write(Buffer.alloc(1200));
      await settled();
      host.pass(1);
    }
    expect(client.frames).toHaveLength(1);
    host.pass(4);
    await client.until(({ frames }) => frames.length === 2);
    expect(client.frames[1]).toBe('8 03e8');
    expect(host.notices).toContainEqual(expect.stringMatching(/ disconnected: exceeded timeout\.$/));
  });

  it('does not count Ping and Pong of WebSocket', async () => {
    await start();
    const client = await connected(2);
    const noise = Buffer.concat([frame(Buffer.alloc(125), 0x89), frame(Buffer.alloc(125), 0x8a)]);
    for (let second = 0; second < 6; second++) {
      for (let count = 0; count < 8; count++) client.write(noise);
      await settled();
      host.pass(1);
    }
    await client.until(({ frames }) => frames.at(-1) === '8 03e8');
  });

  /** What has been written by now has been read: a second connection's request is answered after it. */
  async function settled(): Promise<void> {
    const other = await SocketClient.connect(host.ports[1] as number, { clientId: 'other' });
    await other.ping();
    other.socket.destroy();
  }
});

describe('memory', () => {
  it('is not taken by Pongs that nobody reads: of many Pings the last is answered', async () => {
    await start();
    const { socket } = (await connected()).tcp;
    let received = Buffer.alloc(0);
    let bytes = 0;
    socket.removeAllListeners('data').pause();
    const PINGS = 150_000;
    const numbered = (count: number): Buffer => {
      const payload = Buffer.alloc(125);
      payload.writeUInt32BE(count);
      return frame(payload, 0x89);
    };
    for (let count = 0; count < PINGS; count += 1000) {
      const pings = Array.from({ length: 1000 }, (_, index) => numbered(count + index));
      if (!socket.write(Buffer.concat(pings))) await once(socket, 'drain');
    }
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      received = Buffer.concat([received.subarray(-127), chunk]);
    });
    socket.resume();
    await expect
      .poll(() => received.length >= 127 && received.readUInt32BE(received.length - 125))
      .toBe(PINGS - 1);
    expect(bytes % 127).toBe(0);
    expect(bytes / 127).toBeLessThan(PINGS);
  });

  it.each([
    ['fragments', (count: number) => frame(Buffer.alloc(1), count === 0 ? 0x02 : 0x00)],
    ['segments', (count: number) => (count === 0 ? MEGABYTE : Buffer.alloc(1))],
  ])('is not taken by a message in %s of one byte', async (_what, piece) => {
    await start({ maxPacketSize: 2_000_000 });
    const traffic = new Traffic();
    const [near, far] = MemorySocket.pair(traffic);
    let passed = false;
    const layer = websocketLayer(WEB, host.engine.settings, host.engine);
    layer({ socket: far, peer: { address: 'test', port: 1 } }, ({ socket }) => {
      passed = true;
      socket.on('error', () => {}).resume();
    });
    let answer = '';
    near.on('data', (chunk: Buffer) => {
      answer += chunk.toString('hex');
    });
    near.write(request());
    await expect.poll(() => passed).toBe(true);
    // Close 1008: 2,000,000 bytes may come in one piece for each 256 of them.
    let count = 0;
    for (; count < 10_000 && !answer.endsWith('880203f0'); count++) {
      near.write(piece(count));
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(count).toBeGreaterThan(7800);
    expect(count).toBeLessThan(8000);
  });

  it('is not taken by what a slow subscriber does not read, nor by the publisher that has to wait for it', async () => {
    await start();
    const subscriber = new WebSocket(`ws://127.0.0.1:${host.port}`, 'mqtt');
    await once(subscriber, 'open');
    subscriber.send(bytesOf(connectPacket({ clientId: 'slow' }), 4));
    subscriber.send(bytesOf(subscribePacket({ t: 0 }), 4));
    const numbers: number[] = [];
    let suback = (): void => {};
    const subscribed = new Promise<void>((resolve) => {
      suback = resolve;
    });
    subscriber.on('message', (packet: Buffer) => {
      const type = (packet[0] ?? 0) >> 4;
      if (type === PacketType.SUBACK) suback();
      if (type === PacketType.PUBLISH) numbers.push(packet.readUInt32BE(packet.length - 4));
    });
    await subscribed;
    subscriber.pause();
    const publisher = await connected();
    const MESSAGES = 400;
    for (let number = 0; number < MESSAGES; number++) {
      const payload = Buffer.alloc(100_000);
      payload.writeUInt32BE(number, payload.length - 4);
      publisher.send(publishPacket('t', payload));
    }
    const connections = [...host.engine.connections];
    const backlog = (): number => Math.max(...connections.map((one) => one.backlog));
    await expect.poll(backlog, { timeout: 20_000 }).toBeGreaterThan(262_144);
    for (let turn = 0; turn < 200; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(backlog()).toBeLessThan(262_144 + 2 * 100_100);
      for (const { socket } of connections) {
        expect(socket.writableLength).toBeLessThan(2 * 100_100);
        expect(socket.readableLength).toBeLessThan(4 * 100_100);
      }
    }
    expect(numbers).toEqual([]);
    subscriber.resume();
    await expect.poll(() => numbers.length, { timeout: 20_000 }).toBe(MESSAGES);
    expect(numbers).toEqual(Array.from({ length: MESSAGES }, (_, number) => number));
    subscriber.terminate();
  });
});

it('what is sent at random harms nobody else', async () => {
  await start();
  const other = await SocketClient.connect(host.ports[1] as number, { clientId: 'other' });
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const good = Buffer.concat([
    Buffer.from(request()),
    frame(bytesOf(connectPacket({}), 4)),
    frame(Buffer.from('c000', 'hex')),
    frame(Buffer.from('x'), 0x89),
    frame(bytesOf(publishPacket('t', 'x'.repeat(200)), 4), 0x02),
    frame(Buffer.from('c000', 'hex'), 0x80),
    frame(Buffer.from('03e8', 'hex'), 0x88),
  ]);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(good);
    for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256);
    const client = await WebClient.open(host.port);
    client.tcp.socket.end(bytes);
    client.tcp.socket.resume();
  }
  await other.ping();
  host.pass(31);
  host.pass(2);
  await expect.poll(() => host.engine.connections.size).toBe(1);
  await other.ping();
});
