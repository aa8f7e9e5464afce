import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { acknowledgement, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { LocalClient } from '../local/local-client.js';
import { composeFrame, Message } from './message.js';

const identifier = (value: number): Property[] => [{ name: 'subscriptionIdentifier', value }];
const lasting: Property[] = [{ name: 'sessionExpiryInterval', value: 1000 }];

describe('QoS of a delivery', () => {
  const levels = [0, 1, 2] as const;
  for (const upgradeOutgoingQos of [false, true]) {
    for (const published of levels) {
      for (const subscribed of levels) {
        const qos = upgradeOutgoingQos ? subscribed : Math.min(published, subscribed);
        const upgrade = upgradeOutgoingQos ? ', upgrade_outgoing_qos' : '';
        it(`published ${published}, subscribed ${subscribed}${upgrade}: ${qos} [MQTT-3.8.4-8] [MQTT311-3.8.4-6]`, async () => {
          const broker = new TestBroker({ settings: { upgradeOutgoingQos } });
          const client = await broker.connect();
          await client.send(subscribePacket({ a: subscribed }));
          const publisher = await broker.connect({ clientId: 'publisher' });
          await publisher.send(publishPacket('a', 'x', { qos: published }), acknowledgement('PUBREL', 1));
          expect(await client.take()).toEqual([qos === 0 ? 'PUBLISH a=x' : `PUBLISH a=x q${qos} #1`]);
        });
      }
    }
  }
});

describe('overlapping subscriptions', () => {
  it.each([3, 4] as const)(
    'version %i: one copy for each, literal before + before # (broker T-16)',
    async (protocolVersion) => {
      const client = await new TestBroker().connect({ protocolVersion });
      await client.send(subscribePacket({ '#': 0, 'a/+': 2, 'a/b': 1 }));
      expect(await client.send(publishPacket('a/b', 'x', { qos: 1, packetId: 4 }))).toEqual([
        'PUBLISH a/b=x q1 #1',
        'PUBLISH a/b=x q1 #2',
        'PUBLISH a/b=x',
        'PUBACK #4',
      ]);
    },
  );

  it('MQTT 5: each with its own QoS, RETAIN and Subscription Identifier [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-5]', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ 'a/#': { retainAsPublished: true } }, 1, identifier(7)));
    await client.send(subscribePacket({ 'a/b': 1 }, 2, identifier(268_435_455)));
    await client.send(subscribePacket({ '+/b': { noLocal: true } }, 3, identifier(9)));
    await client.send(subscribePacket({ '#': 0 }, 4));
    expect(await client.send(publishPacket('a/b', 'x', { qos: 2, retain: true }))).toEqual(['PUBREC #1']);
    expect(await client.send(acknowledgement('PUBREL', 1))).toEqual([
      'PUBLISH a/b=x q1 #1 subscriptionIdentifier=268435455',
      'PUBLISH a/b=x retain subscriptionIdentifier=7',
      'PUBLISH a/b=x',
      'PUBCOMP #1',
    ]);
  });
});

function messageTo(topic: string): Message {
  const frame = composeFrame(topic, Buffer.from('x'), 0, false, [], 5);
  return new Message(topic, frame, Number.POSITIVE_INFINITY);
}

describe('allow_duplicate_messages false', () => {
  // biome-ignore format: one row a line
  const filters: readonly (readonly [filters: Record<string, 0 | 1 | 2>, v3: readonly string[], v5: readonly string[]])[] = [
    [{ '#': 2, 'a/b': 0 }, ['q0'], ['q0', 'q2']],
    [{ '#': 0, '+/b': 1, 'a/+': 2 }, ['q2'], ['q2', 'q1', 'q0']],
    [{ '#': 1, 'a/#': 2 }, ['q2'], ['q2', 'q1']],
    [{ 'a/b': 1, '$share/g/a/b': 2 }, ['q1', 'q2'], ['q1', 'q2']],
  ];
  const qosOf = (line: string): string => / (q[12]) /.exec(line)?.[1] ?? 'q0';

  for (const protocolVersion of [3, 4, 5] as const) {
    it.each(filters)(`version ${protocolVersion}: %j`, async (subscribed, v3, v5) => {
      const broker = new TestBroker({ settings: { allowDuplicateMessages: false } });
      const client = await broker.connect({ protocolVersion });
      await client.send(subscribePacket(subscribed));
      const publisher = await broker.connect({ clientId: 'publisher' });
      const message = publishPacket('a/b', 'x', { qos: 2 });
      for (let round = 0; round < 2; round++) {
        await publisher.send(message, acknowledgement('PUBREL', 1));
        expect((await client.take()).map(qosOf)).toEqual(protocolVersion === 5 ? v5 : v3);
      }
    });
  }

  it('everybody gets a copy, offline clients one too', async () => {
    const broker = new TestBroker({ settings: { allowDuplicateMessages: false } });
    const filters = { '#': 1, 'a/#': 1, a: 1 } as const;
    const offline = await broker.connect({ clientId: 'offline', cleanStart: false });
    await offline.send(subscribePacket(filters));
    await offline.vanish();
    const other = await broker.connect({ clientId: 'other' });
    await other.send(subscribePacket(filters));
    expect(await other.send(publishPacket('a', 'x', { qos: 1 }))).toEqual(['PUBLISH a=x q1 #1', 'PUBACK #1']);
    const back = await broker.attempt({ clientId: 'offline', cleanStart: false });
    expect((await back.take()).slice(1)).toEqual(['PUBLISH a=x q1 #1']);
  });

  it('holds for a message by itself, though another is routed in the middle of it', async () => {
    const broker = new TestBroker({ settings: { allowDuplicateMessages: false } });
    const { router } = broker.engine;
    // A line of the log that a subscriber at its bound brings about goes out at once, too.
    const meanwhile = messageTo('meanwhile');
    const between = new LocalClient(broker.engine, {
      onMessage: () => void router.publish(meanwhile, undefined),
    });
    const grant = { qos: 0, noLocal: false, retainAsPublished: false, identifier: undefined } as const;
    between.subscribe('a', grant, false);
    const client = await broker.connect();
    await client.send(subscribePacket({ a: 0, meanwhile: 0 }));
    router.publish(messageTo('a'), undefined);
    expect((await client.take()).sort()).toEqual(['PUBLISH a=x', 'PUBLISH meanwhile=x']);
  });

  it('retained messages come once for each filter all the same', async () => {
    const broker = new TestBroker({ settings: { allowDuplicateMessages: false } });
    const client = await broker.connect();
    await client.send(publishPacket('a', 'x', { retain: true }));
    expect((await client.send(subscribePacket({ a: 0, '#': 0 }))).slice(1)).toEqual([
      'PUBLISH a=x retain',
      'PUBLISH a=x retain',
    ]);
  });
});

describe('No Local [MQTT-3.8.3-3]', () => {
  it('leaves out what the client itself published, and nobody else', async () => {
    const broker = new TestBroker();
    const one = await broker.connect({ clientId: 'one', protocolVersion: 5 });
    const two = await broker.connect({ clientId: 'two', protocolVersion: 5 });
    for (const client of [one, two]) await client.send(subscribePacket({ a: { noLocal: true } }));
    expect(await one.send(publishPacket('a', '1'))).toEqual([]);
    expect(await two.take()).toEqual(['PUBLISH a=1']);
  });

  it('goes by Client Identifier, over a reconnect too', async () => {
    const broker = new TestBroker();
    const fields = { protocolVersion: 5, cleanStart: false, properties: lasting } as const;
    const before = await broker.connect(fields);
    await before.send(subscribePacket({ a: { noLocal: true } }));
    await before.vanish();
    const after = await broker.connect(fields);
    expect(await after.send(publishPacket('a', '1'))).toEqual([]);
  });

  it('does not apply to retained messages at SUBSCRIBE', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(publishPacket('a', '1', { retain: true }));
    expect(await client.send(subscribePacket({ a: { noLocal: true } }))).toEqual([
      'SUBACK #1 0x00',
      'PUBLISH a=1 retain',
    ]);
  });

  it('applies to the own will of a session that goes on', async () => {
    const broker = new TestBroker();
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: false, properties: [] } as const;
    const fields = { protocolVersion: 5, cleanStart: false, properties: lasting } as const;
    const client = await broker.connect({ ...fields, will });
    await client.send(subscribePacket({ w: { noLocal: true, qos: 1 }, 'w/#': 1 }));
    await client.vanish();
    const back = await broker.attempt(fields);
    expect((await back.take()).slice(1)).toEqual(['PUBLISH w=gone q1 #1']);
  });
});

describe('RETAIN of a live copy', () => {
  // biome-ignore format: one row a line
  const ROWS = [
    { what: 'RAP 0 [MQTT-3.3.1-12]', version: 5, retainAsPublished: false, bridge: false, retain: false },
    { what: 'RAP 1 [MQTT-3.3.1-13]', version: 5, retainAsPublished: true, bridge: false, retain: true },
    { what: '3.1.1 [MQTT311-3.3.1-9]', version: 4, retainAsPublished: false, bridge: false, retain: false },
    { what: '3.1', version: 3, retainAsPublished: false, bridge: false, retain: false },
    { what: 'a bridge of 3.1.1', version: 4, retainAsPublished: false, bridge: true, retain: true },
    { what: 'the bridge bit with MQTT 5 means nothing', version: 5, retainAsPublished: false, bridge: true, retain: false },
  ] as const;
  for (const { what, version, retainAsPublished, bridge, retain } of ROWS) {
    it(`${what}: ${retain ? 'as published' : '0'}`, async () => {
      const broker = new TestBroker();
      const client = await broker.connect({ protocolVersion: version, bridge });
      await client.send(subscribePacket({ a: { retainAsPublished } }));
      const publisher = await broker.connect({ clientId: 'publisher' });
      await publisher.send(publishPacket('a', '1', { retain: true }), publishPacket('a', '2'));
      expect(await client.take()).toEqual([`PUBLISH a=1${retain ? ' retain' : ''}`, 'PUBLISH a=2']);
    });
  }

  it.each([
    [4, []],
    [5, ['PUBLISH a=1']],
  ] as const)('the bridge bit with version %i: No Local or not', async (protocolVersion, own) => {
    const client = await new TestBroker().connect({ protocolVersion, bridge: true });
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.send(publishPacket('a', '1'))).toEqual(own);
  });
});

describe('what goes on with a message', () => {
  const user: Property[] = [
    { name: 'userProperty', value: ['b', '2'] },
    { name: 'responseTopic', value: 'r' },
    { name: 'userProperty', value: ['a', '1'] },
    { name: 'payloadFormatIndicator', value: 1 },
    { name: 'correlationData', value: Buffer.from([0, 255]) },
    { name: 'contentType', value: 'text' },
    { name: 'userProperty', value: ['b', '2'] },
  ];
  const shown =
    'userProperty=b:2 responseTopic=r userProperty=a:1 payloadFormatIndicator=1 correlationData=00ff contentType=text userProperty=b:2';

  it('its properties, unchanged and in order [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.send(publishPacket('a', 'x', { properties: user }))).toEqual([
      `PUBLISH a=x ${shown}`,
    ]);
  });

  it('then expiry, alias and identifier (broker §9.9)', async () => {
    const client = await new TestBroker().connect({
      protocolVersion: 5,
      properties: [{ name: 'topicAliasMaximum', value: 5 }],
    });
    await client.send(subscribePacket({ a: 0 }, 1, identifier(3)));
    const properties: Property[] = [{ name: 'messageExpiryInterval', value: 60 }, ...user];
    expect(await client.send(publishPacket('a', 'x', { properties }))).toEqual([
      `PUBLISH a=x ${shown} messageExpiryInterval=60 topicAlias=1 subscriptionIdentifier=3`,
    ]);
  });

  it('no properties to 3.1.1, none from it', async () => {
    const broker = new TestBroker();
    const old = await broker.connect({ clientId: 'old' });
    const current = await broker.connect({ clientId: 'new', protocolVersion: 5 });
    for (const client of [old, current]) await client.send(subscribePacket({ a: 1 }));
    await current.send(publishPacket('a', 'x', { properties: user, qos: 1 }));
    expect(await old.exchange()).toBe('32 06 00 01 61 00 01 78');
    await old.send(publishPacket('a', 'y'));
    expect((await current.take()).at(-1)).toBe('PUBLISH a=y');
  });

  it('never DUP [MQTT-3.3.1-3] [MQTT311-3.3.1-3]', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    await client.send(subscribePacket({ a: 2 }));
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', '1', { qos: 1, dup: true }));
    await publisher.send(publishPacket('a', '2', { qos: 2, dup: true }), acknowledgement('PUBREL', 1));
    expect(await client.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=2 q2 #2']);
  });

  it.each([0, 1, 2] as const)(
    'its place: QoS %i messages of a publisher stay in order [MQTT-4.6.0-5] [MQTT311-4.6.0-5] [MQTT-4.6.0-6] [MQTT311-4.6.0-6]',
    async (qos) => {
      const broker = new TestBroker({ settings: { maxInflightMessages: 3 } });
      const client = await broker.connect();
      client.onPacket = (packet) => {
        if (packet.type === 3 && packet.qos === 1) client.write(acknowledgement('PUBACK', packet.packetId));
        if (packet.type === 3 && packet.qos === 2) client.write(acknowledgement('PUBREC', packet.packetId));
        if (packet.type === 6) client.write(acknowledgement('PUBCOMP', packet.packetId));
      };
      await client.send(subscribePacket({ a: qos }));
      const publisher = await broker.connect({ clientId: 'publisher' });
      for (let count = 1; count <= 20; count++) {
        publisher.write(publishPacket('a', String(count), { qos, packetId: qos === 0 ? 0 : count }));
        if (qos === 2) publisher.write(acknowledgement('PUBREL', count));
      }
      const payloads = (await client.take()).flatMap((line) => /a=(\d+)/.exec(line)?.[1] ?? []);
      expect(payloads.map(Number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    },
  );
});
