import { PacketType } from '@tsmqtt/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { EngineHost, type SocketPeer } from '../../test/engine-host.js';
import { HIGH_WATER } from './back-pressure.js';

let host: EngineHost;
afterEach(() => host.stop());

const PAYLOAD_SIZE = 1000;

/** Numbered payloads, so that loss, doubling and order can be seen. */
const numbered = (index: number): string => String(index).padEnd(PAYLOAD_SIZE, '.');
const indexes = (peer: SocketPeer): number[] => peer.payloads.map((payload) => Number.parseInt(payload, 10));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Writes until the broker stops reading: the socket's buffers are full and nobody takes anything for many turns. */
async function publishUntilHeld(publisher: SocketPeer, topic: string, limit: number): Promise<number> {
  let sent = 0;
  while (sent < limit) {
    const batch = [];
    for (let index = 0; index < 50 && sent < limit; index++)
      batch.push(publisher.publish(topic, numbered(sent++)));
    if (!publisher.socket.write(Buffer.concat(batch)) && !(await drains(publisher))) return sent;
  }
  return sent;
}

async function drains(publisher: SocketPeer): Promise<boolean> {
  for (let turn = 0; turn < 2000; turn++) {
    if (!publisher.socket.writableNeedDrain) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

function connectionOf(id: string) {
  const connection = host.engine.sessions.get(id)?.connection;
  if (connection === undefined) throw new Error(`${id} is not connected`);
  return connection;
}

describe('a subscriber that does not read', () => {
  it('stops its publisher with bounded output, and gets everything in order once it reads', async () => {
    host = await EngineHost.start();
    const subscriber = await host.client('slow');
    await subscriber.subscribe('t');
    subscriber.socket.pause();
    const publisher = await host.client('fast');
    const sent = await publishUntilHeld(publisher, 't', 200_000);
    expect(sent).toBeLessThan(200_000);
    expect(connectionOf('slow').backlog).toBeLessThan(HIGH_WATER + 2 * PAYLOAD_SIZE);
    expect(host.engine.counters.dropped).toBe(0);
    subscriber.socket.resume();
    await subscriber.until(() => subscriber.payloads.length === sent);
    expect(indexes(subscriber)).toEqual(upTo(sent));
  });

  it('does not hold up those who publish to others', async () => {
    host = await EngineHost.start();
    const stuck = await host.client('stuck');
    await stuck.subscribe('t');
    stuck.socket.pause();
    await publishUntilHeld(await host.client('fast'), 't', 200_000);
    const other = await host.client('other');
    await other.subscribe('u');
    const publisher = await host.client('publisher');
    publisher.socket.write(publisher.publish('u', '7'));
    await other.until(() => other.payloads.length === 1);
    expect(indexes(other)).toEqual([7]);
  });

  it('is slow after 10 s without 64 KiB of progress: dropped for it alone, until it has drained', async () => {
    host = await EngineHost.start();
    const slow = await host.client('slow');
    const good = await host.client('good');
    await slow.subscribe('t');
    await good.subscribe('t');
    slow.socket.pause();
    const publisher = await host.client('fast');
    const sent = await publishUntilHeld(publisher, 't', 200_000);
    host.pass(9);
    expect(host.engine.counters.dropped).toBe(0);
    host.pass(2);
    await good.until(() => good.payloads.length === sent);
    await publisher.ping();
    expect(indexes(good)).toEqual(upTo(sent));
    expect(host.engine.counters.dropped).toBeGreaterThan(0);
    expect(
      host.notices.filter((line) => line.startsWith('Outgoing messages are being dropped')),
    ).toHaveLength(1);
    slow.socket.resume();
    const dropped = host.engine.counters.dropped;
    await slow.until(() => slow.payloads.length === sent - dropped);
    publisher.socket.write(publisher.publish('t', numbered(sent)));
    await slow.until(() => slow.payloads.length === sent - dropped + 1);
    expect(indexes(slow).at(-1)).toBe(sent);
    expect(host.engine.counters.dropped).toBe(dropped);
  });

  it('does not become slow while it takes 64 KiB every 10 s', async () => {
    host = await EngineHost.start();
    const subscriber = await host.client('steady');
    await subscriber.subscribe('t');
    subscriber.socket.pause();
    const publisher = await host.client('fast');
    await publishUntilHeld(publisher, 't', 200_000);
    for (let round = 0; round < 5; round++) {
      host.pass(9);
      const before = connectionOf('steady').progress;
      subscriber.socket.resume();
      while (connectionOf('steady').progress < before + HIGH_WATER)
        await new Promise((resolve) => setImmediate(resolve));
      subscriber.socket.pause();
      await publishUntilHeld(publisher, 't', 200_000);
    }
    expect(host.engine.counters.dropped).toBe(0);
  });

  it('does not let its publisher run into its keep-alive', async () => {
    host = await EngineHost.start();
    const subscriber = await host.client('slow');
    await subscriber.subscribe('t');
    subscriber.socket.pause();
    const publisher = await host.client('fast', { keepAlive: 2 });
    await publishUntilHeld(publisher, 't', 200_000);
    host.pass(9);
    expect(host.engine.sessions.get('fast')?.connection).toBeDefined();
    expect(publisher.socket.destroyed).toBe(false);
  });

  it('lets its publishers go when it is gone', async () => {
    host = await EngineHost.start();
    const subscriber = await host.client('slow');
    await subscriber.subscribe('t');
    subscriber.socket.pause();
    const publisher = await host.client('fast');
    await publishUntilHeld(publisher, 't', 200_000);
    subscriber.socket.destroy();
    await publisher.ping();
    expect(host.engine.blockedSessions.size).toBe(0);
  });

  it('lets its publishers go when it gives up what they publish to, and nobody else', async () => {
    host = await EngineHost.start();
    const subscriber = await host.client('slow');
    await subscriber.subscribe('t');
    await subscriber.subscribe('u');
    subscriber.socket.pause();
    const publisher = await host.client('fast');
    await publishUntilHeld(publisher, 't', 200_000);
    const other = await host.client('other');
    other.socket.write(other.publish('u', '1', 1, 1));
    subscriber.send({ type: PacketType.UNSUBSCRIBE, packetId: 2, filters: ['t'], properties: [] });
    await publisher.ping();
    expect(host.engine.counters.dropped).toBe(0);
    expect(other.count(PacketType.PUBACK)).toBe(0);
    subscriber.send({ type: PacketType.UNSUBSCRIBE, packetId: 3, filters: ['u'], properties: [] });
    await other.next(PacketType.PUBACK);
  });

  it('is not held up by itself: what it cannot take of its own is dropped', async () => {
    host = await EngineHost.start();
    const echo = await host.client('echo');
    await echo.subscribe('t');
    echo.socket.pause();
    await publishUntilHeld(echo, 't', 20_000);
    echo.socket.resume();
    await echo.ping();
    expect(echo.payloads.length + host.engine.counters.dropped).toBe(20_000);
    expect(host.engine.counters.dropped).toBeGreaterThan(0);
  });
});

describe('a subscriber that does not acknowledge', () => {
  const WINDOW = 20;
  const QUEUE = 30;

  async function publishAcknowledged(count: number): Promise<SocketPeer> {
    const publisher = await host.client('publisher');
    const all = upTo(count).map((index) => publisher.publish('t', String(index), 1, index + 1));
    publisher.socket.write(Buffer.concat(all));
    return publisher;
  }

  it.each([
    { max: QUEUE, queue: QUEUE },
    { max: 0, queue: 1000 },
  ])('holds its publisher at in-flight window and queue ($max) together, loses nothing', async (bound) => {
    host = await EngineHost.start({ maxQueuedMessages: bound.max });
    const subscriber = await host.client('slow');
    await subscriber.subscribe('t', 1);
    const count = bound.queue + 200;
    const publisher = await publishAcknowledged(count);
    await publisher.until(() => publisher.count(PacketType.PUBACK) === WINDOW + bound.queue);
    await subscriber.ping();
    expect(subscriber.payloads).toHaveLength(WINDOW);
    expect(host.engine.sessions.get('slow')?.outbound.pending).toBe(WINDOW + bound.queue);
    subscriber.acknowledges = true;
    for (let packetId = 1; packetId <= WINDOW; packetId++) {
      subscriber.send({ type: PacketType.PUBACK, packetId, reasonCode: 0, properties: [] });
    }
    await subscriber.until(() => subscriber.payloads.length === count);
    expect(indexes(subscriber)).toEqual(upTo(count));
    await publisher.until(() => publisher.count(PacketType.PUBACK) === count);
    expect(host.engine.counters.dropped).toBe(0);
  });

  it('gets what was queued before it turned out slow; what came after is dropped, newest first', async () => {
    host = await EngineHost.start({ maxQueuedMessages: QUEUE });
    const subscriber = await host.client('slow');
    await subscriber.subscribe('t', 1);
    const publisher = await publishAcknowledged(200);
    await publisher.until(() => publisher.count(PacketType.PUBACK) === WINDOW + QUEUE);
    host.pass(11);
    await publisher.until(() => publisher.count(PacketType.PUBACK) === 200);
    expect(host.engine.counters.dropped).toBe(200 - WINDOW - QUEUE);
    subscriber.acknowledges = true;
    for (let packetId = 1; packetId <= WINDOW; packetId++) {
      subscriber.send({ type: PacketType.PUBACK, packetId, reasonCode: 0, properties: [] });
    }
    await subscriber.until(() => subscriber.payloads.length === WINDOW + QUEUE);
    expect(indexes(subscriber)).toEqual(upTo(WINDOW + QUEUE));
  });

  it('drops at once while it is offline, exactly at max_queued_messages', async () => {
    host = await EngineHost.start({ maxQueuedMessages: QUEUE });
    const offline = await host.client('offline', { clean: false });
    await offline.subscribe('t', 1);
    offline.send({ type: PacketType.DISCONNECT, reasonCode: 0, properties: [] });
    await new Promise((resolve) => offline.socket.once('close', resolve));
    const publisher = await publishAcknowledged(100);
    await publisher.until(() => publisher.count(PacketType.PUBACK) === 100);
    expect(host.engine.counters.dropped).toBe(100 - QUEUE);
    // It acknowledges from the first message on: some come in one chunk with CONNACK.
    const back = await host.client('offline', { clean: false, acknowledges: true });
    await back.until(() => back.payloads.length === QUEUE);
    expect(indexes(back)).toEqual(upTo(QUEUE));
  });
});

describe('retained messages', () => {
  it('wait for a subscriber that reads slowly instead of being dropped', async () => {
    host = await EngineHost.start();
    const publisher = await host.client('publisher');
    const count = 5000;
    publisher.socket.write(
      Buffer.concat(upTo(count).map((index) => publisher.publish(`r/${index}`, numbered(index), 0, 0, true))),
    );
    await publisher.ping();
    const subscriber = await host.client('slow');
    subscriber.send({
      type: PacketType.SUBSCRIBE,
      packetId: 1,
      subscriptions: [{ filter: '#', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
      properties: [],
    });
    subscriber.socket.pause();
    await publisher.ping();
    expect(connectionOf('slow').backlog).toBeLessThan(HIGH_WATER);
    subscriber.socket.resume();
    await subscriber.until(() => subscriber.payloads.length === count);
    expect(indexes(subscriber).sort((one, other) => one - other)).toEqual(upTo(count));
    expect(host.engine.counters.dropped).toBe(0);
  });

  it('at QoS 1 keep to the window and come all', async () => {
    host = await EngineHost.start({ maxQueuedMessages: 10 });
    const publisher = await host.client('publisher');
    publisher.socket.write(
      Buffer.concat(
        upTo(500).map((index) => publisher.publish(`r/${index}`, String(index), 1, index + 1, true)),
      ),
    );
    await publisher.until(() => publisher.count(PacketType.PUBACK) === 500);
    const subscriber = await host.client('slow');
    subscriber.acknowledges = true;
    await subscriber.subscribe('r/+', 1);
    await subscriber.until(() => subscriber.payloads.length === 500);
    expect(host.engine.counters.dropped).toBe(0);
  });
});
