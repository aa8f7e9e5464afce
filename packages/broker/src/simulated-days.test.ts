import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { disconnectPacket, PINGREQ, publishPacket, subscribePacket } from '../test/raw-client.js';
import { TestBroker } from '../test/test-broker.js';
import type { Session } from './session/session.js';

const HOUR = 3600;
const DAY = 24 * HOUR;

const sei = (value: number): Property => ({ name: 'sessionExpiryInterval', value });
const expiry = (value: number): Property => ({ name: 'messageExpiryInterval', value });

describe('over days, a sweep each second', () => {
  it('a session ends after exactly its interval, and the message that waits for it ends with its own', async () => {
    const broker = new TestBroker();
    const fields = { protocolVersion: 5 as const, cleanStart: false, properties: [sei(DAY)] };
    const client = await broker.connect(fields);
    await client.send(subscribePacket({ a: 1 }), disconnectPacket());
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const waiting = (payload: string, hours: number) =>
      publishPacket('a', payload, { qos: 1, properties: [expiry(hours * HOUR)] });
    await publisher.send(
      waiting('6 hours', 6),
      waiting('30 hours', 30),
      publishPacket('a', 'for ever', { qos: 1 }),
    );
    await broker.pass(DAY);
    const again = await broker.attempt(fields);
    expect(await again.take()).toEqual([
      expect.stringMatching(/^CONNACK present/),
      `PUBLISH a=30 hours q1 #2 messageExpiryInterval=${6 * HOUR}`,
      'PUBLISH a=for ever q1 #3',
    ]);
    await again.send(disconnectPacket());
    await broker.pass(DAY + 1);
    expect(broker.engine.sessions.get('client')).toBeUndefined();
    expect(broker.engine.tree.size).toBe(0);
  });

  it('persistent_client_expiration ends what asks for more, each at its own second (broker T-48)', async () => {
    const broker = new TestBroker({ settings: { persistentClientExpiration: 2 * DAY } });
    const asked: readonly (readonly [clientId: string, version: 4 | 5, seconds: number, ends: number])[] = [
      ['an hour', 5, HOUR, HOUR],
      ['a week', 5, 7 * DAY, 2 * DAY],
      ['without end', 5, 0xffff_ffff, 2 * DAY],
      ['3.1.1', 4, 0, 2 * DAY],
    ];
    for (const [clientId, protocolVersion, seconds] of asked) {
      const properties = protocolVersion === 5 ? [sei(seconds)] : [];
      const client = await broker.connect({ clientId, protocolVersion, cleanStart: false, properties });
      await client.vanish();
    }
    let passed = 0;
    for (const [clientId, , , ends] of [...asked].sort((a, b) => a[3] - b[3])) {
      if (ends > passed) await broker.pass(ends - passed);
      passed = ends;
      expect([clientId, broker.engine.sessions.get(clientId) !== undefined]).toEqual([clientId, true]);
    }
    await broker.pass(1);
    expect(broker.engine.sessions.size).toBe(0);
  });

  it('another persistent_client_expiration holds for who is offline already', async () => {
    const broker = new TestBroker();
    await (await broker.connect({ cleanStart: false })).vanish();
    await broker.pass(DAY);
    await broker.reload({ persistentClientExpiration: 2 * DAY });
    await broker.pass(DAY);
    expect(broker.engine.sessions.size).toBe(1);
    await broker.pass(1);
    expect(broker.engine.sessions.size).toBe(0);
  });

  it('a will waits for its hours, and a client that comes back every hour never dies', async () => {
    const broker = new TestBroker();
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.send(subscribePacket({ '#': 0 }));
    const delay: Property = { name: 'willDelayInterval', value: 2 * HOUR };
    const will = {
      topic: 'w',
      payload: Buffer.from('gone'),
      qos: 0 as const,
      retain: false,
      properties: [delay],
    };
    const fields = { protocolVersion: 5 as const, cleanStart: false, properties: [sei(DAY)], will };
    for (let hour = 0; hour < 24; hour++) {
      await (await broker.connect(fields).catch(() => broker.attempt(fields))).vanish();
      await broker.pass(HOUR);
    }
    expect(await watcher.take()).toEqual([]);
    await broker.pass(HOUR - 1);
    expect(await watcher.take()).toEqual([]);
    await broker.pass(1);
    expect(await watcher.take()).toEqual(['PUBLISH w=gone']);
  });

  it('a client that pings just in time stays, and goes when it stops [MQTT-3.1.2-22]', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ keepAlive: 600 });
    for (let passed = 0; passed < DAY; passed += 890) {
      await broker.pass(890);
      expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
    }
    await broker.pass(902);
    expect(await client.take()).toEqual(['closed']);
  });

  it('retained messages count down, and vanish with retain_expiry_interval at the latest', async () => {
    const broker = new TestBroker({ settings: { retainExpiryInterval: 12 * 60 } });
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const retained = (topic: string, seconds: number) =>
      publishPacket(topic, 'x', { retain: true, properties: [expiry(seconds)] });
    await publisher.send(retained('6 hours', 6 * HOUR), retained('a day', DAY));
    const seen: string[] = [];
    for (let hour = 1; hour <= 13; hour++) {
      await broker.pass(HOUR);
      const client = await broker.connect({ clientId: 'watcher', protocolVersion: 5 });
      const [, ...lines] = await client.send(subscribePacket({ '#': 0 }));
      seen.push(lines.map((line) => line.replace(/^PUBLISH (.*)=x retain.*=(\d+)$/, '$1: $2')).join(', '));
    }
    expect(seen).toEqual([
      ...[1, 2, 3, 4, 5].map((hour) => `6 hours: ${(6 - hour) * HOUR}, a day: ${(24 - hour) * HOUR}`),
      ...[6, 7, 8, 9, 10, 11].map((hour) => `a day: ${(24 - hour) * HOUR}`),
      '',
      '',
    ]);
  });
});

describe('a sweep looks only at what is due', () => {
  /** Counts how often a sweep reads the time of one of them. */
  function countReads(items: Iterable<Session>): () => number {
    let reads = 0;
    for (const item of items) {
      let { dueAt } = item;
      Object.defineProperty(item, 'dueAt', {
        get: () => {
          reads++;
          return dueAt;
        },
        set: (value: number) => {
          dueAt = value;
        },
      });
    }
    return () => reads;
  }

  it('with 10,000 sessions that wait for their end', async () => {
    const broker = new TestBroker({ settings: { persistentClientExpiration: DAY } });
    const { sessions } = broker.engine;
    for (let index = 0; index < 10_000; index++) {
      const { session } = sessions.open(`client ${index}`, false);
      session.expiryInterval = 0xffff_ffff;
      sessions.disconnected(session);
      // Ten each second.
      if (index % 10 === 9) broker.skip(1000);
    }
    const reads = countReads(sessions.values());
    broker.skip(-1_000_000);
    await broker.pass(DAY);
    expect(sessions.size).toBe(10_000);
    expect(reads()).toBeLessThanOrEqual(DAY);
    await broker.pass(1000);
    expect(sessions.size).toBe(0);
    // Each is taken out of a heap of 14 levels, of which every one is two comparisons.
    expect(reads() - DAY).toBeLessThan(10_000 * 14 * 5);
  });
});
