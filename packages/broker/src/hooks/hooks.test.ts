import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker, withVerifier } from '../../test/test-broker.js';
import { HookCalls } from './hook-calls.js';
import type { BrokerHooks } from './hooks.js';

function brokerWith(hooks: BrokerHooks): TestBroker {
  const broker = new TestBroker();
  broker.engine.hooks = new HookCalls(broker.engine, hooks);
  return broker;
}

const VERSIONS = [3, 4, 5] as const;

describe('beforeConnect', () => {
  it.each([
    [3, 'CONNACK 0x05'],
    [4, 'CONNACK 0x05'],
    [5, 'CONNACK 0x8a'],
  ] as const)('refuses a client of version %i', async (protocolVersion, connack) => {
    const asked: unknown[] = [];
    const broker = brokerWith({
      beforeConnect: (client) => {
        asked.push([
          client.clientId,
          client.username,
          client.protocolVersion,
          client.cleanStart,
          client.will,
        ]);
        return { refuse: 0x8a };
      },
    });
    const client = await broker.attempt({ protocolVersion, clientId: 'c', username: 'u' });
    expect(await client.take()).toEqual([connack, 'closed']);
    expect(asked).toEqual([['c', 'u', protocolVersion, true, undefined]]);
    expect(broker.engine.sessions.size).toBe(0);
  });

  it('may take its time, and what follows CONNECT waits', async () => {
    let decide = (_decision: undefined): void => {};
    const broker = brokerWith({
      beforeConnect: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const client = await broker.attempt();
    expect(await client.send(subscribePacket({ a: 0 }))).toEqual([]);
    decide(undefined);
    expect(await client.take()).toEqual(['CONNACK 0x00', 'SUBACK #1 0x00']);
  });

  it('lets nobody in by a password that a reload took away meanwhile (broker §4.8)', async () => {
    let decide = (_decision: undefined): void => {};
    const broker = brokerWith({
      beforeConnect: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const client = await broker.attempt({ username: 'u', password: Buffer.from('p') });
    const { engine } = broker;
    await engine.reload(
      { ...engine.settings, allowAnonymous: false },
      withVerifier({ verify: async () => 'refused' }),
    );
    decide(undefined);
    expect((await client.take()).at(-1)).toBe('closed');
    expect(engine.sessions.size).toBe(0);
  });

  it('is given up after 30 s, and hears nothing of a client that has gone', async () => {
    const broker = brokerWith({ beforeConnect: () => new Promise(() => {}) });
    const client = await broker.attempt({ protocolVersion: 5 });
    await broker.pass(29);
    expect(await client.take()).toEqual([]);
    await broker.pass(2);
    expect(await client.take()).toEqual(['CONNACK 0x89', 'closed']);
    const gone = await broker.attempt();
    await gone.vanish();
    await broker.pass(40);
    expect(broker.engine.connections.size).toBe(0);
  });

  it('lets no more than 256 wait', async () => {
    const broker = brokerWith({ beforeConnect: () => new Promise(() => {}) });
    for (let index = 0; index < 256; index++)
      broker.open(5).write('10 10 0004 4d515454 05 02 0000 00 0003 303030');
    const one = await broker.attempt({ protocolVersion: 5, clientId: 'one too many' });
    expect(await one.take()).toEqual(['CONNACK 0x89', 'closed']);
  });

  it('changes what the broker goes by, and the client is told', async () => {
    const users: (string | undefined)[] = [];
    const broker = brokerWith({
      beforeConnect: () => ({ username: 'other', keepAlive: 7, sessionExpiryInterval: 20 }),
      afterConnect: ({ username }) => void users.push(username),
    });
    const client = await broker.attempt({ protocolVersion: 5, keepAlive: 60, username: 'u' });
    expect(await client.take()).toEqual([
      expect.stringMatching(/^CONNACK 0x00 sessionExpiryInterval=20 serverKeepAlive=7 /),
    ]);
    expect(users).toEqual(['other']);
    await client.vanish();
    await broker.pass(19);
    expect(broker.engine.sessions.size).toBe(1);
    await broker.pass(3);
    expect(broker.engine.sessions.size).toBe(0);
  });

  it.each([
    [{ refuse: 0x00 }, '0 is not a Reason Code that CONNACK refuses with'],
    [{ refuse: 0x8e }, '142 is not a Reason Code that CONNACK refuses with'],
    [{ keepAlive: 70_000 }, '70000 is not a Keep Alive'],
    [{ sessionExpiryInterval: -1 }, '-1 is not a Session Expiry Interval'],
  ])('that answers %j refuses, and the log says why', async (decision, why) => {
    for (const answer of [() => decision, async () => decision]) {
      const broker = brokerWith({ beforeConnect: answer });
      const client = await broker.attempt({ protocolVersion: 5 });
      expect(await client.take()).toEqual(['CONNACK 0x80', 'closed']);
      expect(broker.logged).toContain(`error Error: The hook beforeConnect failed: ${why}`);
    }
  });

  it('that throws or rejects refuses, and the log says why', async () => {
    const failing = [
      () => {
        throw new Error('mine');
      },
      () => Promise.reject(new Error('mine')),
    ];
    for (const beforeConnect of failing) {
      const broker = brokerWith({ beforeConnect });
      const client = await broker.attempt({ protocolVersion: 5 });
      expect(await client.take()).toEqual(['CONNACK 0x80', 'closed']);
      expect(broker.logged).toContain('error Error: The hook beforeConnect failed: mine');
    }
  });
});

describe('beforePublish', () => {
  it('refuses: MQTT 5 is told, MQTT 3 is not, QoS 0 vanishes', async () => {
    const broker = brokerWith({ beforePublish: () => ({ refuse: 0x97 }) });
    const subscriber = await broker.connect({ clientId: 's' });
    await subscriber.send(subscribePacket({ '#': 0 }));
    const five = await broker.connect({ protocolVersion: 5, clientId: 'five' });
    expect(await five.send(publishPacket('a', 'x'))).toEqual([]);
    expect(await five.send(publishPacket('a', 'x', { qos: 1 }))).toEqual(['PUBACK #1 0x97']);
    expect(await five.send(publishPacket('a', 'x', { qos: 2, packetId: 2 }))).toEqual(['PUBREC #2 0x97']);
    const four = await broker.connect({ clientId: 'four' });
    expect(await four.send(publishPacket('a', 'x', { qos: 1 }))).toEqual(['PUBACK #1']);
    expect(await four.send(publishPacket('a', 'x', { qos: 2, packetId: 2 }))).toEqual(['PUBREC #2']);
    expect(await four.send(acknowledgement('PUBREL', 2))).toEqual(['PUBCOMP #2']);
    expect(await subscriber.take()).toEqual([]);
  });

  it.each(VERSIONS)(
    'changes what goes on, at every QoS, and not what is answered (version %i)',
    async (version) => {
      const broker = brokerWith({
        beforePublish: ({ clientId }, { topic, payload }) => ({
          topic: `${clientId}/${topic}`,
          payload: Buffer.from(payload.toString().toUpperCase()),
          retain: true,
          properties: [{ name: 'contentType', value: 't' }],
        }),
      });
      const subscriber = await broker.connect({ protocolVersion: 5, clientId: 's' });
      await subscriber.send(subscribePacket({ '#': { qos: 2, retainAsPublished: true } }));
      const publisher = await broker.connect({ protocolVersion: version, clientId: 'p' });
      await publisher.send(publishPacket('a', 'zero'));
      expect(await publisher.send(publishPacket('b', 'one', { qos: 1, packetId: 11 }))).toEqual([
        'PUBACK #11',
      ]);
      expect(await publisher.send(publishPacket('c', 'two', { qos: 2, packetId: 12 }))).toEqual([
        'PUBREC #12',
      ]);
      expect(await publisher.send(publishPacket('c', 'two', { qos: 2, packetId: 12, dup: true }))).toEqual([
        'PUBREC #12',
      ]);
      expect(await publisher.send(acknowledgement('PUBREL', 12))).toEqual(['PUBCOMP #12']);
      expect(await subscriber.take()).toEqual([
        'PUBLISH p/a=ZERO retain contentType=t',
        'PUBLISH p/b=ONE q1 #1 retain contentType=t',
        'PUBLISH p/c=TWO q2 #2 retain contentType=t',
      ]);
    },
  );

  it('is asked once about a message that has to wait for a slow subscriber', async () => {
    let asked = 0;
    const broker = new TestBroker({ settings: { maxInflightMessages: 1, maxQueuedMessages: 1 } });
    broker.engine.hooks = new HookCalls(broker.engine, {
      beforePublish: () => ({ payload: Buffer.from(String(++asked)) }),
    });
    const subscriber = await broker.connect({ clientId: 's' });
    await subscriber.send(subscribePacket({ a: 1 }));
    const publisher = await broker.connect({ clientId: 'p' });
    publisher.write(...[1, 2, 3].map((packetId) => publishPacket('a', 'x', { qos: 1, packetId })));
    expect(await subscriber.take()).toEqual(['PUBLISH a=1 q1 #1']);
    expect(await subscriber.send(acknowledgement('PUBACK', 1))).toEqual(['PUBLISH a=2 q1 #2']);
    expect(await subscriber.send(acknowledgement('PUBACK', 2))).toEqual(['PUBLISH a=3 q1 #3']);
    expect(asked).toBe(3);
  });

  it.each([
    [{ topic: 'a/#' }, "'a/#' is not a valid Topic Name"],
    [{ refuse: 0x10 }, '16 is not a Reason Code that PUBACK refuses with'],
  ])('that answers %j refuses, and the log says why', async (decision, why) => {
    const broker = brokerWith({ beforePublish: () => decision });
    const client = await broker.connect({ protocolVersion: 5 });
    expect(await client.send(publishPacket('a', 'x', { qos: 1 }))).toEqual(['PUBACK #1 0x80']);
    expect(broker.logged).toContain(`error Error: The hook beforePublish failed: ${why}`);
  });
});

describe('beforeSubscribe', () => {
  it.each([
    [4, 'SUBACK #1 0x01 0x80 0x00'],
    [5, 'SUBACK #1 0x01 0x87 0x00'],
  ] as const)('refuses one filter and changes another (version %i)', async (protocolVersion, suback) => {
    const granted: string[] = [];
    const broker = brokerWith({
      beforeSubscribe: (_client, { filter }) => {
        if (filter === 'secret') return { refuse: 0x87 };
        return filter === 'low' ? { qos: 0 } : undefined;
      },
      afterSubscribe: (_client, { filter, qos }) => void granted.push(`${filter} ${qos}`),
    });
    const client = await broker.connect({ protocolVersion, clientId: 'c' });
    expect(await client.send(subscribePacket({ a: 1, secret: 1, low: 2 }))).toEqual([suback]);
    expect(granted).toEqual(['a 1', 'low 0']);
    expect([...(broker.engine.sessions.get('c')?.subscriptions.keys() ?? [])]).toEqual(['a', 'low']);
  });

  it('that answers what cannot be followed refuses, and the log says why', async () => {
    const broker = brokerWith({ beforeSubscribe: () => ({ qos: 3 as never }) });
    const client = await broker.connect({ protocolVersion: 5 });
    expect(await client.send(subscribePacket({ a: 1 }))).toEqual(['SUBACK #1 0x80']);
    expect(broker.logged).toContain('error Error: The hook beforeSubscribe failed: 3 is not a QoS');
  });
});

describe('after...', () => {
  it('tells what happened, in order', async () => {
    const told: string[] = [];
    const broker = brokerWith({
      afterConnect: ({ clientId }, present) => void told.push(`connect ${clientId} ${present}`),
      afterDisconnect: ({ clientId }, reason) => void told.push(`disconnect ${clientId} ${reason}`),
      afterPublish: (clientId, { topic, payload, qos, retain }, matched) =>
        void told.push(`publish ${clientId} ${topic}=${payload} q${qos} ${retain} ${matched}`),
      afterUnsubscribe: ({ clientId }, filter) => void told.push(`unsubscribe ${clientId} ${filter}`),
    });
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0 as const, retain: false, properties: [] };
    const client = await broker.connect({ clientId: 'c', will });
    await client.send(subscribePacket({ a: 0 }));
    await client.send(publishPacket('a', 'x', { retain: true }), publishPacket('b', 'y', { qos: 2 }));
    await client.send(acknowledgement('PUBREL', 1));
    await client.send(unsubscribePacket(['a', 'none']));
    await client.vanish();
    const polite = await broker.connect({ clientId: 'p' });
    await polite.send(disconnectPacket());
    expect(told).toEqual([
      'connect c false',
      'publish c a=x q0 true true',
      'publish c b=y q2 false false',
      'unsubscribe c a',
      'disconnect c connection closed by client',
      'publish c w=gone q0 false false',
      'connect p false',
      'disconnect p ',
    ]);
  });

  it('that throws changes nothing, and the log says so', async () => {
    const fail = (): never => {
      throw new Error('mine');
    };
    const broker = brokerWith({ afterConnect: fail, afterPublish: fail, afterDisconnect: fail });
    const client = await broker.connect();
    expect(await client.send(publishPacket('a', 'x', { qos: 1 }))).toEqual(['PUBACK #1']);
    await client.vanish();
    expect(broker.logged.filter((line) => line.includes('failed: mine'))).toEqual([
      'error Error: The hook afterConnect failed: mine',
      'error Error: The hook afterPublish failed: mine',
      'error Error: The hook afterDisconnect failed: mine',
    ]);
  });
});
