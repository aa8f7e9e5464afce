import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { publishPacket, type RawClient, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const alias = (value: number): Property[] => [{ name: 'topicAlias', value }];
const takes = (value: number) =>
  ({ protocolVersion: 5, properties: [{ name: 'topicAliasMaximum', value }] }) as const;

async function watched(broker: TestBroker): Promise<{ client: RawClient; watcher: RawClient }> {
  const watcher = await broker.connect({ clientId: 'watcher', protocolVersion: 5 });
  await watcher.send(subscribePacket({ '#': 0 }));
  return { watcher, client: await broker.connect({ protocolVersion: 5 }) };
}

describe('from the client', () => {
  it('stands for the topic it was set with, and does not leave the connection [MQTT-3.3.2-7] [MQTT-3.3.2-12]', async () => {
    const { client, watcher } = await watched(new TestBroker());
    await client.send(publishPacket('a', '1', { properties: alias(10) }));
    await client.send(publishPacket('', '2', { properties: alias(10) }), publishPacket('b', '3'));
    expect(await watcher.take()).toEqual(['PUBLISH a=1', 'PUBLISH a=2', 'PUBLISH b=3']);
  });

  it('can be set anew', async () => {
    const { client, watcher } = await watched(new TestBroker());
    for (const [topic, payload] of [
      ['a', '1'],
      ['', '2'],
      ['b', '3'],
      ['', '4'],
    ] as const)
      await client.send(publishPacket(topic, payload, { properties: alias(1) }));
    expect(await watcher.take()).toEqual(['PUBLISH a=1', 'PUBLISH a=2', 'PUBLISH b=3', 'PUBLISH b=4']);
  });

  it.each([1, 2] as const)('goes with QoS %i too', async (qos) => {
    const { client, watcher } = await watched(new TestBroker());
    client.onPacket = (packet) => {
      if (packet.type === 5)
        client.write({ type: 6, packetId: packet.packetId, reasonCode: 0, properties: [] });
    };
    await client.send(publishPacket('a', '1', { qos, packetId: 1, properties: alias(2) }));
    await client.send(publishPacket('', '2', { qos, packetId: 2, properties: alias(2) }));
    expect(await watcher.take()).toEqual(['PUBLISH a=1', 'PUBLISH a=2']);
  });

  it('keeps the other properties, and a retained message has its topic', async () => {
    const { client, watcher } = await watched(new TestBroker());
    const properties: Property[] = [{ name: 'contentType', value: 't' }, ...alias(1)];
    await client.send(publishPacket('a', '1', { properties }));
    await client.send(publishPacket('', '2', { properties, retain: true }));
    expect(await watcher.take()).toEqual(['PUBLISH a=1 contentType=t', 'PUBLISH a=2 contentType=t']);
    expect((await watcher.send(subscribePacket({ a: 0 })))[1]).toBe('PUBLISH a=2 retain contentType=t');
  });

  it('is of one connection', async () => {
    const broker = new TestBroker();
    const { client } = await watched(broker);
    await client.send(publishPacket('a', '1', { properties: alias(1) }));
    const other = await broker.connect({ clientId: 'other', protocolVersion: 5 });
    expect(await other.send(publishPacket('', '2', { properties: alias(1) }))).toEqual([
      'DISCONNECT 0x82',
      'closed',
    ]);
  });

  it('holds for a message that is refused', async () => {
    const { client, watcher } = await watched(new TestBroker({ settings: { messageSizeLimit: 1 } }));
    await client.send(publishPacket('a', 'too long', { properties: alias(1) }));
    await client.send(publishPacket('', '2', { properties: alias(1) }));
    expect(await watcher.take()).toEqual(['PUBLISH a=2']);
  });
});

describe('to the client (broker §9.9)', () => {
  it('are given to topics first come, first served [MQTT-3.1.2-26] [MQTT-3.3.2-11]', async () => {
    const client = await new TestBroker().connect(takes(2));
    await client.send(subscribePacket({ '#': 0 }));
    const topics = ['a', 'b', 'c', 'a', 'c', 'b'];
    expect(await client.send(...topics.map((topic) => publishPacket(topic, 'x')))).toEqual([
      'PUBLISH a=x topicAlias=1',
      'PUBLISH b=x topicAlias=2',
      'PUBLISH c=x',
      'PUBLISH =x topicAlias=1',
      'PUBLISH c=x',
      'PUBLISH =x topicAlias=2',
    ]);
  });

  it.each([
    { maximum: 3, setting: 1, aliased: 1 },
    { maximum: 1, setting: 3, aliased: 1 },
    { maximum: 3, setting: 0, aliased: 0 },
    { maximum: 0, setting: 10, aliased: 0 },
    { maximum: 100, setting: 10, aliased: 10 },
  ])(
    'at most $aliased where the client takes $maximum and max_topic_alias_broker is $setting [MQTT-3.1.2-27]',
    async ({ maximum, setting, aliased }) => {
      const client = await new TestBroker({ listener: { maxTopicAliasBroker: setting } }).connect(
        takes(maximum),
      );
      await client.send(subscribePacket({ '#': 0 }));
      const topics = Array.from({ length: 12 }, (_, index) => publishPacket(`t${index}`, 'x'));
      const lines = await client.send(...topics);
      expect(lines.filter((line) => line.includes('topicAlias='))).toHaveLength(aliased);
    },
  );

  it('none where the client does not ask [MQTT-3.1.2-27]', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ '#': 0 }));
    expect(await client.send(publishPacket('a', 'x'))).toEqual(['PUBLISH a=x']);
  });

  it('start anew with every connection, for messages that are sent again too [MQTT-3.3.2-7]', async () => {
    const broker = new TestBroker();
    const fields = {
      protocolVersion: 5,
      cleanStart: false,
      properties: [{ name: 'sessionExpiryInterval', value: 100 }, ...takes(5).properties],
    } as const;
    const client = await broker.connect(fields);
    await client.send(subscribePacket({ a: 1 }));
    const publisher = await broker.connect({ clientId: 'publisher' });
    const [one, two] = ['1', '2'].map((payload) => publishPacket('a', payload, { qos: 1 }));
    await publisher.send(one!, two!);
    expect(await client.take()).toEqual(['PUBLISH a=1 q1 #1 topicAlias=1', 'PUBLISH =2 q1 #2 topicAlias=1']);
    await client.vanish();
    const back = await broker.attempt(fields);
    expect((await back.take()).slice(1)).toEqual([
      'PUBLISH a=1 q1 #1 dup topicAlias=1',
      'PUBLISH =2 q1 #2 dup topicAlias=1',
    ]);
  });

  it('never stand for a topic whose first message was too large for the client', async () => {
    const client = await new TestBroker().connect({
      protocolVersion: 5,
      properties: [...takes(5).properties, { name: 'maximumPacketSize', value: 40 }],
    });
    await client.send(subscribePacket({ a: 0 }));
    const lines = await client.send(publishPacket('a', 'x'.repeat(50)), publishPacket('a', '2'));
    expect(lines).toEqual([expect.stringMatching(/^PUBLISH a=2/)]);
  });
});
