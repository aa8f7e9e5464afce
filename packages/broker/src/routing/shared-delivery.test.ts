import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { acknowledgement, publishPacket, subscribePacket, unsubscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const identifier = (value: number): Property[] => [{ name: 'subscriptionIdentifier', value }];
const lasting: Property[] = [{ name: 'sessionExpiryInterval', value: 1000 }];

describe('shared subscriptions', () => {
  async function group(broker: TestBroker, names: readonly string[], qos: 0 | 1 = 0) {
    const members = [];
    for (const clientId of names) {
      const member = await broker.connect({ clientId, protocolVersion: 5, properties: lasting });
      await member.send(subscribePacket({ '$share/g/a': qos }));
      members.push(member);
    }
    return members;
  }
  const numbers = async (publisher: { send: TestClient['send'] }, count: number, qos: 0 | 1 = 0) => {
    for (let number = 1; number <= count; number++) {
      await publisher.send(publishPacket('a', String(number), { qos, packetId: qos === 0 ? 0 : number }));
    }
  };
  type TestClient = Awaited<ReturnType<TestBroker['connect']>>;

  it('give each message to one member, in turn (broker §9.9)', async () => {
    const broker = new TestBroker();
    const members = await group(broker, ['one', 'two', 'three']);
    await numbers(await broker.connect({ clientId: 'publisher' }), 6);
    expect(await Promise.all(members.map((member) => member.take()))).toEqual([
      ['PUBLISH a=1', 'PUBLISH a=4'],
      ['PUBLISH a=2', 'PUBLISH a=5'],
      ['PUBLISH a=3', 'PUBLISH a=6'],
    ]);
  });

  it('keep the turns of members that are offline, and what they get (broker T-31)', async () => {
    const broker = new TestBroker();
    const [one, two] = (await group(broker, ['one', 'two'], 1)) as [TestClient, TestClient];
    await two.vanish();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await numbers(publisher, 4, 1);
    await publisher.send(publishPacket('a', '5'), publishPacket('a', 'lost'));
    expect(await one.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=3 q1 #2', 'PUBLISH a=5']);
    const back = await broker.attempt({ clientId: 'two', protocolVersion: 5, cleanStart: false });
    expect((await back.take()).slice(1)).toEqual(['PUBLISH a=2 q1 #1', 'PUBLISH a=4 q1 #2']);
  });

  it('do not give a message to another member when it is refused [MQTT-4.8.2-6]', async () => {
    const broker = new TestBroker();
    const [one, two] = (await group(broker, ['one', 'two'], 1)) as [TestClient, TestClient];
    await numbers(await broker.connect({ clientId: 'publisher' }), 1, 1);
    expect(await one.send(acknowledgement('PUBACK', 1, 0x80))).toEqual(['PUBLISH a=1 q1 #1']);
    expect(await two.take()).toEqual([]);
  });

  it('are one each for name and filter, and beside plain subscriptions', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ a: 0, '$share/g/a': 0, '$share/h/a': 0, '$share/g/#': 0 }));
    expect(await client.send(publishPacket('a', '1'))).toEqual(Array(4).fill('PUBLISH a=1'));
    await client.send(unsubscribePacket(['$share/g/a']));
    expect(await client.send(publishPacket('a', '2'))).toEqual(Array(3).fill('PUBLISH a=2'));
  });

  it.each(['$a/b', '$SYS/#', '$SYS/broker/version'])(
    'to %s are accepted, get nothing, and are no match (broker §9.9)',
    async (filter) => {
      const broker = new TestBroker({ settings: { sysInterval: 1 } });
      const client = await broker.connect({ protocolVersion: 5 });
      expect(await client.send(subscribePacket({ [`$share/g/${filter}`]: 1 }))).toEqual(['SUBACK #1 0x01']);
      expect(await client.send(publishPacket('$a/b', '1', { qos: 1 }))).toEqual(['PUBACK #1 0x10']);
      await broker.pass(5);
      expect(await client.take()).toEqual([]);
      expect(await client.send(unsubscribePacket([`$share/g/${filter}`]))).toEqual(['UNSUBACK #1 0x00']);
    },
  );

  it('carry their own QoS and Subscription Identifier, for 3.1.1 members too', async () => {
    const broker = new TestBroker();
    const one = await broker.connect({ clientId: 'one', protocolVersion: 5 });
    await one.send(subscribePacket({ '$share/g/a': 1 }, 1, identifier(4)));
    const two = await broker.connect({ clientId: 'two' });
    await two.send(subscribePacket({ '$share/g/a': 0 }));
    await numbers(await broker.connect({ clientId: 'publisher' }), 2, 1);
    expect(await one.take()).toEqual(['PUBLISH a=1 q1 #1 subscriptionIdentifier=4']);
    expect(await two.take()).toEqual(['PUBLISH a=2']);
  });
});
