import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { brokerWith, DeferredStore } from '../../test/deferred-store.js';
import {
  acknowledgement,
  type ConnectFields,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { type TestBroker, type TestBrokerOptions, withAcl } from '../../test/test-broker.js';
import { NO_SECRETS } from '../auth/secrets.js';
import { DEFAULT_LISTENER, type ListenerSettings } from '../settings.js';
import { MemoryStore } from './memory-store.js';
import type { StoredEntry, StoredRecord } from './store.js';

const lasting = (clientId: string, seconds = 1000, more: readonly Property[] = []): ConnectFields => ({
  protocolVersion: 5,
  clientId,
  cleanStart: false,
  properties: [{ name: 'sessionExpiryInterval', value: seconds }, ...more],
});

/** What the next process makes of the store, some seconds after this one was killed. */
async function killed(
  broker: TestBroker,
  store: DeferredStore,
  seconds = 0,
  options: TestBrokerOptions = {},
): Promise<TestBroker> {
  return (await killedWith(broker, store, seconds, options)).broker;
}

async function killedWith(
  broker: TestBroker,
  store: DeferredStore,
  seconds: number,
  options: TestBrokerOptions,
) {
  await broker.settle();
  return start({ ...options, now: broker.engine.clock.now() + seconds * 1000 }, store.restore());
}

async function start(options: TestBrokerOptions = {}, entries: readonly StoredEntry[] = []) {
  const store = new DeferredStore();
  await store.memory.commit(new Map(entries));
  return { store, broker: await brokerWith(store, options) };
}

/** The client again, and what it is sent. */
async function returns(broker: TestBroker, fields: ConnectFields): Promise<string[]> {
  const client = await broker.attempt(fields);
  return (await client.take()).map((line) => (line.startsWith('CONNACK') ? line.slice(0, 20).trim() : line));
}

describe('sessions', () => {
  it('of MQTT 3 are still that: one copy with allow_duplicate_messages false, to those of MQTT 5 all (broker T-43)', async () => {
    const { store, broker } = await start();
    for (const fields of [lasting('five'), { clientId: 'four', cleanStart: false }]) {
      const client = await broker.connect(fields);
      await client.send(subscribePacket({ 'a/b': 1, 'a/#': 1 }));
    }
    const later = await killed(broker, store, 0, { settings: { allowDuplicateMessages: false } });
    const publisher = await later.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a/b', 'x', { qos: 1 }));
    expect(await returns(later, { clientId: 'four', cleanStart: false })).toEqual([
      'CONNACK present 0x00',
      'PUBLISH a/b=x q1 #1',
    ]);
    expect(await returns(later, lasting('five'))).toEqual([
      'CONNACK present 0x00',
      'PUBLISH a/b=x q1 #1',
      'PUBLISH a/b=x q1 #2',
    ]);
  });

  it('come back offline, with subscriptions, their options and identifiers, shared ones too (broker §8, T-32)', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client'));
    await client.send(
      subscribePacket({ 'a/+': { qos: 2, noLocal: true, retainAsPublished: true } }, 1, [
        { name: 'subscriptionIdentifier', value: 268_435_455 },
      ]),
      subscribePacket({ '$share/g/s/#': 1, gone: 0 }, 2),
      unsubscribePacket(['gone'], 3),
    );
    const next = await killed(broker, store);
    expect(next.engine.sessions.get('client')?.connection).toBeUndefined();
    const publisher = await next.connect({ clientId: 'publisher', protocolVersion: 5 });
    publisher.write(publishPacket('a/b', '1', { qos: 1, packetId: 1, retain: true }));
    publisher.write(publishPacket('s/1', '2', { qos: 1, packetId: 2 }));
    publisher.write(publishPacket('gone', '3', { qos: 1, packetId: 3 }));
    expect(await publisher.take()).toEqual(['PUBACK #1', 'PUBACK #2', 'PUBACK #3 0x10']);
    const client2 = await next.attempt(lasting('client'));
    expect((await client2.take()).slice(1)).toEqual([
      'PUBLISH a/b=1 q1 #1 retain subscriptionIdentifier=268435455',
      'PUBLISH s/1=2 q1 #2',
    ]);
    await client2.send(publishPacket('a/b', 'own', { qos: 1, packetId: 9 }));
    expect((await client2.take()).filter((line) => line.startsWith('PUBLISH'))).toEqual([]);
  });

  it('go on with their expiry from when they were left, or, if never, from now', async () => {
    const { store, broker } = await start();
    const left = await broker.connect(lasting('left', 100));
    await broker.connect(lasting('cut off', 100));
    await left.send(disconnectPacket());
    await broker.pass(40);
    const next = await killed(broker, store, 30);
    await next.pass(30);
    expect([...next.engine.sessions.values()].map(({ clientId }) => clientId)).toEqual(['left', 'cut off']);
    await next.pass(1);
    expect([...next.engine.sessions.values()].map(({ clientId }) => clientId)).toEqual(['cut off']);
    await next.pass(69);
    expect(next.engine.sessions.size).toBe(1);
    await next.pass(1);
    expect(next.engine.sessions.size).toBe(0);
  });

  it('that expired meanwhile are gone, from the store too', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client', 10));
    await client.send(subscribePacket({ a: 1 }));
    await client.vanish();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', 'x', { qos: 1 }));
    expect(store.memory.size).toBe(4);
    const next = await brokerWith(store, { now: broker.engine.clock.now() + 10_001 });
    await next.settle();
    expect(next.logged).toEqual(['notice Expiring client client due to timeout.']);
    expect(store.memory.size).toBe(0);
  });

  it('keep the end that DISCONNECT gave them (3.14.2.2.2)', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client', 10));
    await client.send(disconnectPacket(0, [{ name: 'sessionExpiryInterval', value: 500 }]));
    const other = await broker.connect(lasting('other', 10));
    await other.send(disconnectPacket(0, [{ name: 'sessionExpiryInterval', value: 0 }]));
    const next = await killed(broker, store, 400);
    expect([...next.engine.sessions.values()].map(({ clientId }) => clientId)).toEqual(['client']);
  });

  it('that end with their connection leave nothing in the store', async () => {
    const { store, broker } = await start();
    const plain = await broker.connect({ clientId: 'plain' });
    await plain.send(subscribePacket({ a: 2 }), publishPacket('a', 'x', { qos: 2 }));
    expect(store.memory.size).toBe(0);
    const client = await broker.connect(lasting('client'));
    await client.send(subscribePacket({ a: 2 }), publishPacket('b', 'x', { qos: 2, packetId: 4 }));
    await plain.send(publishPacket('a', 'x', { qos: 1, packetId: 7 }));
    expect(store.memory.size).toBe(6);
    // From now on it ends with its connection, which a crash ends.
    await client.vanish();
    await broker.attempt({ protocolVersion: 5, clientId: 'client', cleanStart: false });
    expect(store.memory.size).toBe(0);
  });

  it('that a Clean Start ends leave nothing in the store', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client'));
    await client.send(subscribePacket({ a: 2 }), publishPacket('a', 'x', { qos: 1, packetId: 4 }));
    await client.vanish();
    const again = await broker.connect({ ...lasting('client'), cleanStart: true });
    expect(store.memory.size).toBe(1);
    const next = await killed(broker, store);
    expect(await returns(next, lasting('client'))).toEqual(['CONNACK present 0x00']);
    await again.vanish();
  });

  it('of MQTT 3 have no end, and know who their user was', async () => {
    const { store, broker } = await start({ verifier: { verify: async () => 'accepted' } });
    const fields = { clientId: 'client', cleanStart: false, username: 'me', password: Buffer.from('x') };
    await broker.connect({ ...fields, protocolVersion: 3 });
    const next = await killed(broker, store, 1e9);
    expect(next.engine.sessions.get('client')?.identity?.username).toBe('me');
  });
});

describe('messages', () => {
  it('on their way go on where they were: identifiers, DUP, PUBREL, then what waited (broker §8)', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client', 1000, [{ name: 'receiveMaximum', value: 3 }]));
    await client.send(subscribePacket({ '#': 2 }));
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const properties: Property[] = [
      { name: 'userProperty', value: ['k', 'v'] },
      { name: 'messageExpiryInterval', value: 100 },
    ];
    await publisher.send(publishPacket('q1', '1', { qos: 1, packetId: 1, properties }));
    for (const packetId of [2, 3]) {
      await publisher.send(publishPacket('q2', String(packetId), { qos: 2, packetId }));
      await publisher.send(acknowledgement('PUBREL', packetId));
    }
    await publisher.send(publishPacket('waits', '4', { qos: 1, packetId: 4 }));
    await client.send(acknowledgement('PUBREC', 3));
    const next = await killed(broker, store, 30);
    expect(await returns(next, lasting('client'))).toEqual([
      'CONNACK present 0x00',
      'PUBLISH q1=1 q1 #1 dup userProperty=k:v messageExpiryInterval=70',
      'PUBLISH q2=2 q2 #2 dup',
      'PUBREL #3',
      'PUBLISH waits=4 q1 #4',
    ]);
  });

  it('that expired while they waited are gone; those that were sent are sent again', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client', 1000, [{ name: 'receiveMaximum', value: 1 }]));
    await client.send(subscribePacket({ '#': 1 }));
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const properties: Property[] = [{ name: 'messageExpiryInterval', value: 10 }];
    await publisher.send(publishPacket('sent', '1', { qos: 1, packetId: 1, properties }));
    await publisher.send(publishPacket('waits', '2', { qos: 1, packetId: 2, properties }));
    const next = await killed(broker, store, 20);
    expect(await returns(next, lasting('client'))).toEqual([
      'CONNACK present 0x00',
      'PUBLISH sent=1 q1 #1 dup messageExpiryInterval=1',
    ]);
  });

  it('received at QoS 2 and not released are handed on by the next process, once [MQTT-4.3.3-11]', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client'));
    await client.send(publishPacket('a', 'first', { qos: 2, packetId: 7 }));
    await client.send(publishPacket('a', 'replaced', { qos: 2, packetId: 7 }));
    await client.send(publishPacket('a', 'released', { qos: 2, packetId: 8 }));
    await client.send(acknowledgement('PUBREL', 8));
    const next = await killed(broker, store);
    const watcher = await next.connect({ clientId: 'watcher' });
    await watcher.send(subscribePacket({ a: 0 }));
    const again = await next.attempt(lasting('client'));
    await again.take();
    expect(await again.send(publishPacket('a', 'replaced', { qos: 2, packetId: 7, dup: true }))).toEqual([
      'PUBREC #7',
    ]);
    expect(await again.send(acknowledgement('PUBREL', 7), acknowledgement('PUBREL', 8))).toEqual([
      'PUBCOMP #7',
      'PUBCOMP #8',
    ]);
    expect(await watcher.take()).toEqual(['PUBLISH a=replaced']);
  });

  it('whose identifier another took that was refused are handed on by nobody (broker §9.7)', async () => {
    const { store, broker } = await start();
    const client = await broker.connect(lasting('client'));
    await client.send(publishPacket('a', 'dropped', { qos: 2, packetId: 7 }));
    expect(await client.send(publishPacket('$SYS/a', 'refused', { qos: 2, packetId: 7 }))).toEqual([
      'PUBREC #7 0x87',
    ]);
    const next = await killed(broker, store);
    const watcher = await next.connect({ clientId: 'watcher' });
    await watcher.send(subscribePacket({ a: 0 }));
    const again = await next.attempt(lasting('client'));
    await again.send(acknowledgement('PUBREL', 7));
    expect(await watcher.take()).toEqual([]);
  });

  it('are saved once, however many sessions keep them, and removed with the last', async () => {
    const { store, broker } = await start();
    const clients = [];
    for (const name of ['a', 'b', 'c']) {
      const client = await broker.connect(lasting(name));
      await client.send(subscribePacket({ t: 1 }));
      await client.vanish();
      clients.push(name);
    }
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('t', 'x'.repeat(1000), { qos: 1, retain: true }));
    expect([store.saved('message').length, store.saved('delivery').length]).toEqual([1, 3]);
    const after = await killed(broker, store);
    const { persistence, sessions } = after.engine;
    expect(persistence?.messages.size).toBe(1);
    const [one, other] = ['a', 'b'].map((name) => {
      const held: unknown[] = [];
      sessions.get(name)?.forEachMessage((message) => held.push(message));
      return held[0];
    });
    expect(one).toBe(other);
    for (const name of clients) {
      expect(store.saved('message')).toHaveLength(1);
      const client = await broker.attempt(lasting(name));
      await client.send(acknowledgement('PUBACK', 1));
    }
    expect(store.saved('message')).toHaveLength(1);
    await publisher.send(publishPacket('t', '', { qos: 1, retain: true }));
    expect([store.saved('message'), store.saved('retained')]).toEqual([
      [expect.objectContaining({ packet: expect.toSatisfy((packet: Buffer) => packet.length < 20) })],
      [],
    ]);
  });

  it('of QoS 0 are saved where queue_qos0_messages keeps them', async () => {
    const options = { settings: { queueQos0Messages: true } };
    const { store, broker } = await start(options);
    const client = await broker.connect(lasting('client'));
    await client.send(subscribePacket({ '#': 1 }));
    await client.vanish();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(
      publishPacket('a', '0'),
      publishPacket('b', '1', { qos: 1 }),
      publishPacket('c', '0'),
    );
    const next = await killedWith(broker, store, 0, options);
    const lines = ['CONNACK present 0x00', 'PUBLISH b=1 q1 #1', 'PUBLISH a=0', 'PUBLISH c=0'];
    expect(await returns(next.broker, lasting('client'))).toEqual(lines);
    // Those of QoS 0 are done, the other one is not.
    const last = await killed(next.broker, next.store, 0, options);
    expect(await returns(last, lasting('client'))).toEqual([lines[0], 'PUBLISH b=1 q1 #1 dup']);
  });
});

describe('retained messages', () => {
  it('come back, those below $SYS and those that expired aside', async () => {
    const settings = { retainExpiryInterval: 2, sysInterval: 10 };
    const { store, broker } = await start({ settings });
    await broker.pass(1);
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const expiry = (value: number): Property[] => [{ name: 'messageExpiryInterval', value }];
    await publisher.send(publishPacket('old', 'x', { retain: true }));
    await broker.pass(60);
    await publisher.send(
      publishPacket('kept', '1', { retain: true, properties: [{ name: 'contentType', value: 'x' }] }),
      publishPacket('short', '2', { retain: true, properties: expiry(10) }),
      publishPacket('long', '3', { retain: true, properties: expiry(100) }),
      publishPacket('replaced', '4', { retain: true }),
      publishPacket('replaced', '5', { retain: true }),
      publishPacket('cleared', '6', { retain: true }),
      publishPacket('cleared', '', { retain: true }),
    );
    await broker.settle();
    expect(store.saved('retained')).toHaveLength(5);
    const next = await killed(broker, store, 60, { settings: { ...settings, sysInterval: 0 } });
    const watcher = await next.connect({ clientId: 'watcher', protocolVersion: 5 });
    const found = await watcher.send(subscribePacket({ '#': 0, '$SYS/#': 0 }));
    expect(found.slice(1).sort()).toEqual([
      'PUBLISH kept=1 retain contentType=x',
      'PUBLISH long=3 retain messageExpiryInterval=40',
      'PUBLISH replaced=5 retain',
    ]);
  });

  it('for a subscription that had not all of them are sent to its next connection', async () => {
    const { store, broker } = await start();
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let number = 0; number < 10; number++)
      await publisher.send(publishPacket(`r/${number}`, 'x', { retain: true, qos: 1 }));
    const client = await broker.connect(lasting('client', 1000, [{ name: 'receiveMaximum', value: 2 }]));
    await client.send(subscribePacket({ 'r/#': 1 }));
    expect(store.saved('subscription').map(({ replaying }) => replaying)).toEqual([true]);
    const next = await killed(broker, store);
    const again = await next.attempt(lasting('client'));
    const lines = await again.take();
    const topics = new Set(lines.flatMap((line) => /^PUBLISH (r.\d)=x/.exec(line)?.[1] ?? []));
    expect(topics.size).toBe(10);
    for (let id = 1; id <= 20; id++) again.write(acknowledgement('PUBACK', id));
    await again.take();
    expect(next.engine.sessions.get('client')?.replay.active).toBe(false);
  });
});

it('the log says what there was (broker §5)', async () => {
  const { store, broker } = await start();
  const client = await broker.connect(lasting('client'));
  await client.send(subscribePacket({ a: 1, b: 0 }), publishPacket('x', '1', { qos: 2 }));
  await client.vanish();
  const publisher = await broker.connect({ clientId: 'publisher' });
  await publisher.send(
    publishPacket('a', '1', { qos: 1, retain: true }),
    publishPacket('c', '1', { retain: true }),
  );
  const next = await killed(broker, store, 0, { logsAll: true });
  expect(next.logged.filter((line) => line.startsWith('info'))).toEqual([
    'info Restored 1 clients',
    'info Restored 3 base messages',
    'info Restored 2 retained messages',
    'info Restored 2 subscriptions',
    'info Restored 2 client messages',
  ]);
});

describe('rights', () => {
  const open = { ...DEFAULT_LISTENER, port: 1 };
  const closed = { ...DEFAULT_LISTENER, port: 2 };
  const secrets = ({ port }: ListenerSettings) => (port === 2 ? withAcl('topic read r')(closed) : NO_SECRETS);
  const options: TestBrokerOptions = { settings: { listeners: [open, closed] }, secrets };
  const names = (broker: TestBroker, id: string) => {
    const topics: string[] = [];
    broker.engine.sessions.get(id)?.forEachMessage(({ topic }) => topics.push(topic));
    return topics;
  };

  it('of a session are those of the listener that it came through, while it is offline too (broker §4.6)', async () => {
    const { store, broker } = await start(options);
    for (const listener of [open, closed]) {
      const client = await broker.connect(lasting(`through ${listener.port}`), listener);
      await client.send(subscribePacket({ '#': 1 }));
    }
    const next = await killed(broker, store, 0, options);
    const publisher = await next.connect({ clientId: 'publisher' }, open);
    await publisher.send(
      publishPacket('r', '1', { qos: 1 }),
      publishPacket('s', '1', { qos: 1, packetId: 2 }),
    );
    expect([names(next, 'through 1'), names(next, 'through 2')]).toEqual([['r', 's'], ['r']]);
    // Where there is no such listener any more, those of the first.
    const other = await killed(broker, store, 0, { ...options, settings: { listeners: [closed] } });
    const there = await other.connect({ clientId: 'publisher' }, open);
    await there.send(publishPacket('s', '1', { qos: 1 }));
    expect(names(other, 'through 1')).toEqual([]);
  });

  it('of the publisher of a retained message are asked after with check_retain_source (broker §4.4)', async () => {
    const settings = { listeners: [open, closed], checkRetainSource: true };
    const { store, broker } = await start({ ...options, settings });
    const publisher = await broker.connect({ clientId: 'publisher' }, open);
    await publisher.send(publishPacket('r', '1', { retain: true }));
    const seen = async (there: ListenerSettings, may: boolean) => {
      const refused = withAcl('topic read #')(there);
      const next = await killed(broker, store, 0, { settings, secrets: () => (may ? NO_SECRETS : refused) });
      const watcher = await next.connect({ clientId: 'watcher' }, there);
      return (await watcher.send(subscribePacket({ r: 0 }))).slice(1);
    };
    expect(await seen(open, true)).toEqual(['PUBLISH r=1 retain']);
    expect(await seen(open, false)).toEqual([]);
  });
});

describe('what does not fit together is not started with', () => {
  const session: StoredRecord = {
    kind: 'session',
    protocolVersion: 5,
    client: { clientId: 'c', username: undefined, listener: '*:1883' },
    expiryInterval: 1,
    offlineSince: undefined,
  };
  const receipt: StoredRecord = { kind: 'receipt', session: 1, message: 2, packetId: 1 };

  it.each([
    ['no session', [[3, receipt]], 'record 3 of the store refers to record 1, which is not there'],
    [
      'no message',
      [
        [1, session],
        [3, receipt],
      ],
      'record 3 of the store refers to record 2, which is not there',
    ],
    [
      'a PUBLISH that is none',
      [[1, { kind: 'message', packet: Buffer.from([0x30, 0]), protocolVersion: 4, expiresAt: undefined }]],
      'record 1 of the store is no PUBLISH: PUBLISH ends in the middle of a field',
    ],
    [
      'another packet',
      [
        [
          1,
          { kind: 'message', packet: Buffer.from('c000', 'hex'), protocolVersion: 4, expiresAt: undefined },
        ],
      ],
      'record 1 of the store is no PUBLISH: PINGREQ',
    ],
  ] as const)('%s', async (_name, entries, text) => {
    const store = new MemoryStore();
    await store.commit(
      new Map<number, StoredRecord>(entries as readonly (readonly [number, StoredRecord])[]),
    );
    await expect(brokerWith(store)).rejects.toThrow(text);
  });

  it('a message that nothing refers to is removed', async () => {
    const store = new DeferredStore();
    const packet = Buffer.from('3003000161', 'hex');
    const message = { kind: 'message', packet, protocolVersion: 4, expiresAt: undefined } as const;
    await store.memory.commit(new Map([[1, message]]));
    const broker = await brokerWith(store);
    await broker.settle();
    expect(store.memory.size).toBe(0);
  });
});
