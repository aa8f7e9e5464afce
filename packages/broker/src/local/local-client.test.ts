import type { QoS } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { acknowledgement, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { LocalClient, type LocalClientOptions, type LocalMessage } from './local-client.js';

const text = ({ topic, payload, qos, packetId, dup }: LocalMessage) =>
  `${topic}=${payload} q${qos} #${packetId}${dup ? ' dup' : ''}`;

function client(broker: TestBroker, options: Omit<LocalClientOptions, 'onMessage'> = {}) {
  const messages: string[] = [];
  const local = new LocalClient(broker.engine, {
    ...options,
    onMessage: (message) => messages.push(text(message)),
  });
  const subscribe = (filter: string, qos: QoS, noLocal = false) =>
    local.subscribe(filter, { qos, noLocal, retainAsPublished: true, identifier: undefined }, true);
  const publish = (topic: string, payload: string, qos: QoS = 0) =>
    local.publish({ topic, payload: Buffer.from(payload), qos, retain: false, properties: [] });
  return { local, messages, subscribe, publish };
}

describe('a client without a connection', () => {
  it('publishes to clients and gets what they publish', async () => {
    const broker = new TestBroker();
    const { messages, subscribe, publish } = client(broker);
    const other = await broker.connect({ clientId: 'other' });
    await other.send(subscribePacket({ down: 1 }));
    subscribe('up', 2);
    expect(await publish('down', 'x', 1)).toBe(true);
    expect(await other.take()).toEqual(['PUBLISH down=x q1 #1']);
    await other.send(publishPacket('up', 'y', { qos: 1 }));
    expect(messages).toEqual(['up=y q1 #1']);
  });

  it('gets no more at a time than it can acknowledge, and the rest as it does', async () => {
    const broker = new TestBroker();
    const { local, messages, subscribe, publish } = client(broker, { receiveMaximum: 2 });
    subscribe('a', 2);
    for (const [payload, qos] of [
      ['1', 1],
      ['2', 2],
      ['3', 1],
      ['4', 2],
    ] as const)
      await publish('a', payload, qos);
    expect(messages).toEqual(['a=1 q1 #1', 'a=2 q2 #2']);
    local.acknowledge(2);
    local.acknowledge(2);
    expect(messages).toEqual(['a=1 q1 #1', 'a=2 q2 #2', 'a=3 q1 #3']);
    local.acknowledge(1);
    local.acknowledge(3);
    local.acknowledge(4);
    expect(messages.slice(3)).toEqual(['a=4 q2 #4']);
  });

  it('keeps a session over its absence where it has a Client Identifier, and gets again what it did not acknowledge', async () => {
    const broker = new TestBroker();
    const options = { clientId: 'bridge', sessionExpiryInterval: 60 };
    const first = client(broker, options);
    first.subscribe('a', 1);
    await first.publish('a', '1', 1);
    first.local.close();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', '2', { qos: 1 }));
    const second = client(broker, options);
    expect(first.messages).toEqual(['a=1 q1 #1']);
    expect(second.messages).toEqual(['a=1 q1 #1 dup', 'a=2 q1 #2']);
    second.local.close();
    await broker.pass(62);
    expect(client(broker, options).messages).toEqual([]);
    expect(broker.engine.tree.size).toBe(0);
  });

  it('is taken over like any other, and takes over', async () => {
    const broker = new TestBroker();
    const reasons: string[] = [];
    const { publish } = client(broker, { clientId: 'c', onClosed: (reason) => reasons.push(reason) });
    const other = await broker.connect({ clientId: 'c', protocolVersion: 5 });
    expect(reasons).toEqual(['sessionTakenOver']);
    await expect(publish('a', 'x')).rejects.toThrow('ended');
    client(broker, { clientId: 'c' });
    expect(await other.take()).toEqual(['DISCONNECT 0x8e', 'closed']);
  });

  // biome-ignore format: one row a line
  const WILLS: readonly (readonly [what: string, expiry: number, delay: number, closes: boolean, seen: string[]])[] = [
    ['whose session ends: its will is sent', 0, 0, false, ['PUBLISH w=gone']],
    ['whose session goes on: its will is not sent', 60, 0, false, []],
    ['whose will has a delay: it is never sent', 0, 5, false, []],
    ['that has gone, and its will waits: it is never sent', 60, 5, true, []],
  ];
  it.each(WILLS)('takes over from one %s (broker §9.5)', async (_what, expiry, delay, closes, seen) => {
    const broker = new TestBroker();
    const witness = await broker.connect({ clientId: 'witness' });
    await witness.send(subscribePacket({ w: 0 }));
    const old = await broker.connect({
      clientId: 'c',
      protocolVersion: 5,
      properties: [{ name: 'sessionExpiryInterval', value: expiry }],
      will: {
        topic: 'w',
        payload: Buffer.from('gone'),
        qos: 0,
        retain: false,
        properties: delay === 0 ? [] : [{ name: 'willDelayInterval', value: delay }],
      },
    });
    if (closes) await old.vanish();
    client(broker, { clientId: 'c', sessionExpiryInterval: 60 });
    await broker.pass(10);
    expect((await witness.take()).filter((line) => line.startsWith('PUBLISH'))).toEqual(seen);
  });

  it('does not get its own messages with No Local', async () => {
    const broker = new TestBroker();
    const { messages, subscribe, publish } = client(broker);
    subscribe('a', 0, true);
    await publish('a', 'x');
    expect(messages).toEqual([]);
  });

  it('gets no message that has expired, and of an expiry what is left', async () => {
    const broker = new TestBroker();
    const options = { clientId: 'c', sessionExpiryInterval: 600 };
    const seen: LocalMessage[] = [];
    const attach = () =>
      new LocalClient(broker.engine, { ...options, onMessage: (message) => seen.push(message) });
    const first = attach();
    first.subscribe('a', { qos: 1, noLocal: false, retainAsPublished: false, identifier: undefined }, true);
    first.close();
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const expiring = (payload: string, value: number, packetId: number) =>
      publishPacket('a', payload, {
        qos: 1,
        packetId,
        properties: [{ name: 'messageExpiryInterval', value }],
      });
    await publisher.send(expiring('short', 10, 1), expiring('long', 100, 2));
    await broker.pass(30);
    attach();
    expect(seen.map(({ payload, properties }) => [payload.toString(), properties])).toEqual([
      ['long', [{ name: 'messageExpiryInterval', value: 70 }]],
    ]);
  });

  it('waits for a subscriber at its bound, keeps its order, and ends with what waits refused', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 1, maxQueuedMessages: 1 } });
    const subscriber = await broker.connect({ clientId: 'subscriber' });
    await subscriber.send(subscribePacket({ a: 1 }));
    const { local, publish } = client(broker);
    const settled: string[] = [];
    const publishing = ['1', '2', '3', '4'].map((payload) =>
      publish('a', payload, 1).then(
        () => settled.push(payload),
        (error: Error) => settled.push(`${payload}: ${error.message}`),
      ),
    );
    await broker.settle();
    expect(settled).toEqual(['1', '2']);
    expect(await subscriber.take()).toEqual(['PUBLISH a=1 q1 #1']);
    await subscriber.send(acknowledgement('PUBACK', 1));
    expect(settled).toEqual(['1', '2', '3']);
    local.close();
    await Promise.all(publishing);
    expect(settled.slice(3)).toEqual(['4: the client has ended']);
  });

  it('lets no more than 1,000 publications wait', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 1, maxQueuedMessages: 1 } });
    const subscriber = await broker.connect({ clientId: 'subscriber' });
    await subscriber.send(subscribePacket({ a: 1 }));
    const { local, publish } = client(broker);
    const waiting = Array.from({ length: 1002 }, (_, index) => publish('a', String(index), 1));
    await expect(publish('a', 'one too many', 1)).rejects.toThrow('1000 messages wait');
    const outcomes = Promise.allSettled(waiting);
    local.close();
    expect((await outcomes).filter(({ status }) => status === 'rejected')).toHaveLength(1000);
  });
});

describe('in the middle of its retained messages', () => {
  const ALL = ['r/1', 'r/2', 'r/3', 'r/4'];

  /** Topics that come where it does this with the third of them. */
  async function topics(onThird: (local: LocalClient) => void): Promise<string[]> {
    const broker = new TestBroker();
    const other = await broker.connect();
    for (const topic of ALL) await other.send(publishPacket(topic, 'old', { retain: true }));
    const got: string[] = [];
    const local = new LocalClient(broker.engine, {
      onMessage: ({ topic }) => {
        if (got.push(topic) === 3) onThird(local);
      },
    });
    subscribeTo(local);
    await broker.settle();
    return got;
  }
  const subscribeTo = (local: LocalClient) =>
    local.subscribe('r/+', { qos: 0, noLocal: false, retainAsPublished: true, identifier: undefined }, true);

  it('unsubscribes: none comes any more [MQTT-3.10.4-2]', async () => {
    expect(await topics((local) => local.unsubscribe('r/+'))).toEqual(ALL.slice(0, 3));
  });

  it('subscribes again: all of them come, and the rest not twice', async () => {
    expect(await topics(subscribeTo)).toEqual([...ALL.slice(0, 3), ...ALL]);
  });
});
