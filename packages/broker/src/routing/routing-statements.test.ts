import type { Properties, QoS } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { topicVectors } from '../../../protocol/test/vectors.js';
import {
  acknowledgement,
  publishPacket,
  type RawClient,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

// What the specifications say of matching, retained messages and overlapping and shared subscriptions, shown at the
// broker's edge in both versions.

const ids = (value: number): Properties => [{ name: 'subscriptionIdentifier', value }];

describe.each([4, 5] as const)('version %i', (protocolVersion) => {
  async function setUp() {
    const broker = new TestBroker();
    const subscriber = await broker.connect({ clientId: 'subscriber', protocolVersion });
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion });
    return { broker, subscriber, publisher };
  }

  /** Whether a message to the topic arrives by a subscription to the filter. */
  async function arrives(filter: string, topic: string): Promise<boolean> {
    const { subscriber, publisher } = await setUp();
    expect(await subscriber.send(subscribePacket({ [filter]: 0 }))).toEqual(['SUBACK #1 0x00']);
    await publisher.send(publishPacket(topic, 'x'));
    const got = await subscriber.take();
    expect(got.length === 0 || got.join() === `PUBLISH ${topic}=x`).toBe(true);
    return got.length > 0;
  }

  // `$SYS` and the like have their own rules (broker §9.7, §9.9).
  const rows = topicVectors.matches.filter(
    ({ filter, topic }) => !/^\$(SYS|share|CONTROL)/.test(filter + topic),
  );

  it.each(rows)(
    'filter $filter, topic $topic: $matches [MQTT-3.3.2-3] [MQTT311-3.3.2-3] [MQTT311-3.8.3-2]',
    async ({ filter, topic, matches }) => {
      expect(await arrives(filter, topic)).toBe(matches);
    },
  );

  it.each(['#', '+', '+/b', '+/#', '#'])(
    'a filter %s does not match a topic that starts with $ [MQTT-4.7.2-1] [MQTT311-4.7.2-1]',
    async (filter) => {
      const { subscriber, publisher } = await setUp();
      await publisher.send(
        publishPacket('$a/b', 'kept', { retain: true }),
        publishPacket('$a', 'kept', { retain: true }),
      );
      // Neither what is retained nor what comes.
      expect(await subscriber.send(subscribePacket({ [filter]: 0 }))).toEqual(['SUBACK #1 0x00']);
      await publisher.send(publishPacket('$a/b', '1'), publishPacket('$a', '1'));
      expect(await subscriber.take()).toEqual([]);
      // The literal level does.
      expect(await subscriber.send(subscribePacket({ '$a/+': 0 }))).toEqual([
        'SUBACK #1 0x00',
        'PUBLISH $a/b=kept retain',
      ]);
    },
  );

  it.each([
    ['\u00c5', 'A\u030a'],
    ['a', 'A'],
    ['a', 'a/'],
    ['a', '/a'],
    ['a//b', 'a/b'],
    ['a b', 'a  b'],
    ['a/./b', 'a/b'],
    ['a%2fb', 'a/b'],
    ['\ufeffa', 'a'],
    ['\ud83d\ude00', '\u{1f601}'],
  ])('filter %j and topic %j are taken as they are [MQTT-4.7.3-4] [MQTT311-4.7.3-4]', async (one, other) => {
    expect(await arrives(one, other)).toBe(false);
    expect(await arrives(other, one)).toBe(false);
    expect(await arrives(one, one)).toBe(true);
    expect(await arrives(other, other)).toBe(true);
  });

  it('an unsubscribe takes the filter as it is too [MQTT-3.10.4-1] [MQTT311-3.10.4-1]', async () => {
    const { subscriber, publisher } = await setUp();
    await subscriber.send(subscribePacket({ 'a/+': 0 }));
    await subscriber.send(unsubscribePacket(['a/b', 'a/#', 'A/+', 'a/+/']));
    await publisher.send(publishPacket('a/b', '1'));
    expect(await subscriber.take()).toEqual(['PUBLISH a/b=1']);
    await subscriber.send(unsubscribePacket(['a/+']));
    await publisher.send(publishPacket('a/b', '2'));
    expect(await subscriber.take()).toEqual([]);
  });

  it('a message without RETAIN neither stores nor removes anything [MQTT-3.3.1-8] [MQTT311-3.3.1-12]', async () => {
    const { subscriber, publisher } = await setUp();
    await publisher.send(publishPacket('a', '1', { qos: 1 }), publishPacket('b', 'kept', { retain: true }));
    await publisher.send(publishPacket('b', '2', { qos: 1 }), publishPacket('b', ''));
    expect(await subscriber.send(subscribePacket({ '#': 0 }))).toEqual([
      'SUBACK #1 0x00',
      'PUBLISH b=kept retain',
    ]);
  });

  it('a new subscription gets the last retained message of every topic that matches, with RETAIN [MQTT311-3.3.1-6] [MQTT311-3.3.1-8]', async () => {
    const { subscriber, publisher } = await setUp();
    for (const topic of ['a', 'a/b', 'a/b/c', 'b']) {
      await publisher.send(publishPacket(topic, 'old', { retain: true, qos: 1 }));
      await publisher.send(publishPacket(topic, 'new', { retain: true, qos: 1 }));
    }
    const got = await subscriber.send(subscribePacket({ 'a/#': 1 }));
    expect(got[0]).toBe('SUBACK #1 0x01');
    expect(got.slice(1).map((line) => line.replace(/ #\d+/, ''))).toEqual([
      'PUBLISH a=new q1 retain',
      'PUBLISH a/b=new q1 retain',
      'PUBLISH a/b/c=new q1 retain',
    ]);
  });

  it('an established subscription gets it without RETAIN [MQTT-3.3.1-12] [MQTT311-3.3.1-9]', async () => {
    const { subscriber, publisher } = await setUp();
    await subscriber.send(subscribePacket({ a: 0 }));
    await publisher.send(publishPacket('a', '1', { retain: true }));
    expect(await subscriber.take()).toEqual(['PUBLISH a=1']);
  });

  it('the QoS of a retained message is kept [MQTT311-3.3.1-5]', async () => {
    for (const qos of [0, 1, 2] as const) {
      const { subscriber, publisher } = await setUp();
      await publisher.send(publishPacket('a', '1', { retain: true, qos }), acknowledgement('PUBREL', 1));
      const [, message] = await subscriber.send(subscribePacket({ a: 2 }));
      expect(message).toBe(`PUBLISH a=1${qos === 0 ? '' : ` q${qos} #1`} retain`);
    }
  });

  it('overlapping subscriptions: the highest of their QoS is among the copies [MQTT-3.3.4-2] [MQTT311-3.3.5-1]', async () => {
    const { subscriber, publisher } = await setUp();
    await subscriber.send(subscribePacket({ 'a/b': 0, 'a/+': 2, '#': 1 }));
    await publisher.send(publishPacket('a/b', '1', { qos: 2 }), acknowledgement('PUBREL', 1));
    const levels = (await subscriber.take()).map((line) => / q(\d)/.exec(line)?.[1] ?? '0');
    expect(levels).toEqual(['0', '2', '1']);
  });

  it('everybody with a matching subscription gets a message, connected or not [MQTT-4.5.0-1] [MQTT311-4.5.0-1]', async () => {
    const broker = new TestBroker();
    const properties: Properties =
      protocolVersion === 5 ? [{ name: 'sessionExpiryInterval', value: 60 }] : [];
    const fields = { protocolVersion, cleanStart: false, properties };
    for (const clientId of ['away', 'there']) {
      const client = await broker.connect({ ...fields, clientId });
      await client.send(subscribePacket({ a: 1 }));
      if (clientId === 'away') await client.vanish();
      else client.onPacket = () => {};
    }
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', '1', { qos: 1 }));
    for (const { clientId, outbound } of broker.engine.sessions.values()) {
      expect([clientId, outbound.pending]).toEqual([clientId, clientId === 'publisher' ? 0 : 1]);
    }
  });
});

describe('MQTT 5: a Subscription Identifier', () => {
  it('goes with the copy of its own subscription [MQTT-3.3.4-3] [MQTT-3.3.4-5]', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ 'a/b': 0 }, 1, ids(1)));
    await client.send(subscribePacket({ 'a/+': 0 }, 2, ids(268_435_455)));
    await client.send(subscribePacket({ 'a/#': 0 }, 3));
    expect(await client.send(publishPacket('a/b', '1'))).toEqual([
      'PUBLISH a/b=1 subscriptionIdentifier=1',
      'PUBLISH a/b=1 subscriptionIdentifier=268435455',
      'PUBLISH a/b=1',
    ]);
  });
});

describe('MQTT 5: shared subscriptions', () => {
  const MEMBER = (clientId: string, seconds: number) => ({
    clientId,
    protocolVersion: 5 as const,
    cleanStart: false,
    properties: [{ name: 'sessionExpiryInterval' as const, value: seconds }],
  });

  /** Two members of a group and a publisher; messages go to `one` and `two` by turns. */
  async function group(qosOne: QoS, qosTwo: QoS, seconds = 100) {
    const broker = new TestBroker();
    const one = await broker.connect(MEMBER('one', seconds));
    await one.send(subscribePacket({ '$share/g/a': qosOne }));
    const two = await broker.connect(MEMBER('two', seconds));
    await two.send(subscribePacket({ '$share/g/a': qosTwo }));
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const give = async (payload: string, qos: QoS = 2) => {
      await publisher.send(publishPacket('a', payload, { qos }));
      if (qos === 2) await publisher.send(acknowledgement('PUBREL', 1));
    };
    return { broker, one, two, give };
  }

  it('a message goes out with the QoS of the member that gets it [MQTT-4.8.2-3]', async () => {
    const { one, two, give } = await group(0, 1);
    for (const payload of ['1', '2', '3', '4']) await give(payload);
    expect(await one.take()).toEqual(['PUBLISH a=1', 'PUBLISH a=3']);
    expect(await two.take()).toEqual(['PUBLISH a=2 q1 #1', 'PUBLISH a=4 q1 #2']);
  });

  async function back(broker: TestBroker, clientId: string): Promise<[RawClient, string[]]> {
    const client = await broker.attempt(MEMBER(clientId, 100));
    const [, ...rest] = await client.take();
    return [client, rest];
  }

  it('a QoS 2 delivery that was begun is ended with the same member when it is back [MQTT-4.8.2-4]', async () => {
    const { broker, one, two, give } = await group(2, 2);
    await give('1');
    expect(await one.take()).toEqual(['PUBLISH a=1 q2 #1']);
    await one.vanish();
    expect(await two.take()).toEqual([]);
    const [again, resent] = await back(broker, 'one');
    expect(resent).toEqual(['PUBLISH a=1 q2 #1 dup']);
    expect(await again.send(acknowledgement('PUBREC', 1))).toEqual(['PUBREL #1']);
    expect(await again.send(acknowledgement('PUBCOMP', 1))).toEqual([]);
    expect(await two.take()).toEqual([]);
  });

  it('where its session ends first, nobody else gets the message [MQTT-4.8.2-5]', async () => {
    const { broker, one, two, give } = await group(2, 2, 5);
    await give('1');
    await one.vanish();
    await broker.pass(10);
    expect(broker.engine.sessions.get('one')).toBeUndefined();
    expect(await two.take()).toEqual([]);
    const [, resent] = await back(broker, 'one');
    expect(resent).toEqual([]);
  });

  it.each(['PUBACK', 'PUBREC'] as const)(
    'where it refuses with %s, nobody else gets the message [MQTT-4.8.2-6]',
    async (type) => {
      const qos = type === 'PUBACK' ? 1 : 2;
      const { one, two, give } = await group(qos, qos);
      await give('1', qos);
      expect(await one.send(acknowledgement(type, 1, 0x80))).toEqual([`PUBLISH a=1 q${qos} #1`]);
      expect(await two.take()).toEqual([]);
      await give('2', qos);
      expect(await two.take()).toEqual([`PUBLISH a=2 q${qos} #1`]);
    },
  );
});
