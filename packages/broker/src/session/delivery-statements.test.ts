import type { Properties, QoS } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  type ConnectFields,
  PINGREQ,
  publishPacket,
  type RawClient,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

// What the specifications say of the sender and the receiver of QoS 0, 1 and 2 (4.3, 4.4, 4.9), shown at the broker's
// edge in both versions.

const DAY: Properties = [{ name: 'sessionExpiryInterval', value: 86_400 }];

describe.each([4, 5] as const)('version %i', (protocolVersion) => {
  const fields: ConnectFields = {
    protocolVersion,
    clientId: 'subscriber',
    cleanStart: false,
    properties: protocolVersion === 5 ? DAY : [],
  };

  /** A broker with a publisher, and a subscriber to `a` whose session outlives its connection. */
  async function setUp(qos: QoS, properties: Properties = []) {
    const broker = new TestBroker();
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const subscriber = await broker.connect({
      ...fields,
      properties: [...(fields.properties as Properties), ...properties],
    });
    await subscriber.send(subscribePacket({ a: qos }));
    const publish = (payload: string) => publisher.send(publishPacket('a', payload, { qos, packetId: 1 }));
    const release = () => publisher.send(acknowledgement('PUBREL', 1));
    return {
      broker,
      publisher,
      subscriber,
      /** Publishes and, for QoS 2, releases, so that the message is routed. */
      give: async (payload: string) => {
        await publish(payload);
        if (qos === 2) await release();
      },
    };
  }

  /** Comes back; what the broker sends right behind CONNACK. */
  async function comeBack(broker: TestBroker): Promise<[RawClient, string[]]> {
    const client = await broker.attempt(fields);
    const [connack, ...rest] = await client.take();
    expect(connack).toMatch(/^CONNACK present/);
    return [client, rest];
  }

  describe('the sender', () => {
    it('of QoS 0: no identifier, DUP 0, never again [MQTT-4.3.1-1] [MQTT-2.2.1-2] [MQTT311-4.3.1-1] [MQTT311-2.3.1-5]', async () => {
      const { broker, subscriber, publisher } = await setUp(0);
      await publisher.send(publishPacket('a', 'x'));
      const properties = protocolVersion === 5 ? ' 00' : '';
      const length = protocolVersion === 5 ? '05' : '04';
      expect(await subscriber.exchange()).toBe(`30 ${length} 00 01 61${properties} 78`);
      await subscriber.vanish();
      expect((await comeBack(broker))[1]).toEqual([]);
    });

    it.each([1, 2] as const)(
      'of QoS %i: a new identifier each, DUP 0 [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT311-4.3.2-1] [MQTT311-4.3.3-1]',
      async (qos) => {
        const { subscriber, give } = await setUp(qos);
        for (const payload of ['1', '2', '3']) await give(payload);
        expect(await subscriber.take()).toEqual([
          `PUBLISH a=1 q${qos} #1`,
          `PUBLISH a=2 q${qos} #2`,
          `PUBLISH a=3 q${qos} #3`,
        ]);
      },
    );

    it('of QoS 1: it is unacknowledged until PUBACK [MQTT-4.3.2-3] [MQTT311-4.3.2-1]', async () => {
      const { broker, subscriber, give } = await setUp(1);
      await give('1');
      await subscriber.vanish();
      const [again, resent] = await comeBack(broker);
      expect(resent).toEqual(['PUBLISH a=1 q1 #1 dup']);
      await again.send(acknowledgement('PUBACK', 1));
      await again.vanish();
      expect((await comeBack(broker))[1]).toEqual([]);
    });

    it('of QoS 2: PUBLISH is unacknowledged until PUBREC, then PUBREL until PUBCOMP, and PUBLISH does not come again [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT311-4.3.3-1]', async () => {
      const { broker, subscriber, give } = await setUp(2);
      await give('1');
      await subscriber.vanish();
      const [second, resent] = await comeBack(broker);
      expect(resent).toEqual(['PUBLISH a=1 q2 #1 dup']);
      expect(await second.send(acknowledgement('PUBREC', 1))).toEqual(['PUBREL #1']);
      await second.vanish();
      const [third, released] = await comeBack(broker);
      expect(released).toEqual(['PUBREL #1']);
      expect(await third.send(acknowledgement('PUBCOMP', 1))).toEqual([]);
      await third.vanish();
      expect((await comeBack(broker))[1]).toEqual([]);
    });

    it('sends nothing again on a live connection [MQTT-4.4.0-1] [MQTT311-4.4.0-1]', async () => {
      const { broker, subscriber, give } = await setUp(1);
      await give('1');
      await subscriber.take();
      await broker.pass(3600, 60);
      expect(await subscriber.send(PINGREQ)).toEqual(['PINGRESP']);
    });

    it('keeps to the rules of order when it sends again [MQTT-4.4.0-1] [MQTT-4.6.0-5] [MQTT311-4.6.0-6]', async () => {
      const { broker, subscriber, give } = await setUp(1);
      for (const payload of ['1', '2', '3', '4']) await give(payload);
      await subscriber.send(acknowledgement('PUBACK', 2));
      await subscriber.vanish();
      await give('5');
      expect((await comeBack(broker))[1]).toEqual([
        'PUBLISH a=1 q1 #1 dup',
        'PUBLISH a=3 q1 #3 dup',
        'PUBLISH a=4 q1 #4 dup',
        'PUBLISH a=5 q1 #5',
      ]);
    });

    it('keeps messages for a client that is away [MQTT-4.5.0-1] [MQTT311-3.1.2-5] [MQTT311-4.5.0-1]', async () => {
      for (const qos of [1, 2] as const) {
        const { broker, subscriber, give } = await setUp(qos);
        await subscriber.vanish();
        await give('1');
        await give('2');
        expect((await comeBack(broker))[1]).toEqual([`PUBLISH a=1 q${qos} #1`, `PUBLISH a=2 q${qos} #2`]);
      }
    });
  });

  describe('the receiver', () => {
    /** A publisher of this version, and a watcher of what is passed on. */
    async function receiver() {
      const broker = new TestBroker();
      const watcher = await broker.connect({ clientId: 'watcher' });
      await watcher.send(subscribePacket({ a: 2 }));
      const publisher = await broker.connect({ clientId: 'publisher', protocolVersion });
      return { broker, watcher, publisher };
    }

    it.each([true, false])(
      'of QoS 1: after PUBACK the same identifier is a new message, DUP %s [MQTT-4.3.2-4] [MQTT-4.3.2-5] [MQTT311-4.3.2-2]',
      async (dup) => {
        const { watcher, publisher } = await receiver();
        const message = publishPacket('a', '1', { qos: 1, packetId: 7, dup });
        expect(await publisher.send(message)).toEqual(['PUBACK #7']);
        expect(await publisher.send(message)).toEqual(['PUBACK #7']);
        expect(await watcher.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=1 q1 #2']);
      },
    );

    it.each([true, false])(
      'of QoS 2: after PUBCOMP the same identifier is a new message, DUP %s [MQTT-4.3.3-12] [MQTT311-4.3.3-2]',
      async (dup) => {
        const { watcher, publisher } = await receiver();
        const message = publishPacket('a', '1', { qos: 2, packetId: 7, dup });
        for (let round = 0; round < 2; round++) {
          expect(await publisher.send(message)).toEqual(['PUBREC #7']);
          expect(await publisher.send(acknowledgement('PUBREL', 7))).toEqual(['PUBCOMP #7']);
        }
        expect(await watcher.take()).toEqual(['PUBLISH a=1 q2 #1', 'PUBLISH a=1 q2 #2']);
      },
    );
  });

  it('retained messages outlive the session that published them [MQTT311-3.1.2-7]', async () => {
    const broker = new TestBroker();
    const publisher = await broker.connect({ protocolVersion, clientId: 'publisher' });
    await publisher.send(publishPacket('a', 'kept', { retain: true }));
    await publisher.vanish();
    expect(broker.engine.sessions.size).toBe(0);
    const subscriber = await broker.connect({ protocolVersion });
    expect(await subscriber.send(subscribePacket({ a: 0 }))).toEqual([
      'SUBACK #1 0x00',
      'PUBLISH a=kept retain',
    ]);
  });

  it('a session lasts as long as its connection, whatever its expiry [MQTT-4.1.0-1] [MQTT311-4.1.0-2]', async () => {
    const broker = new TestBroker({ settings: { persistentClientExpiration: 5 } });
    const client = await broker.connect({ protocolVersion });
    await client.send(subscribePacket({ a: 1 }));
    await broker.pass(86_400, 60);
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', '1', { qos: 1 }));
    expect(await client.take()).toEqual(['PUBLISH a=1 q1 #1']);
  });

  it('replacing a subscription loses nothing of what is on its way [MQTT-3.8.4-4] [MQTT311-3.8.4-3]', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 1 } });
    const window: Properties = protocolVersion === 5 ? [{ name: 'receiveMaximum', value: 1 }] : [];
    const subscriber = await broker.connect({ protocolVersion, properties: window });
    await subscriber.send(subscribePacket({ a: 1 }));
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', 'kept', { retain: true }));
    for (const payload of ['1', '2', '3']) await publisher.send(publishPacket('a', payload, { qos: 1 }));
    expect(await subscriber.take()).toEqual(['PUBLISH a=kept', 'PUBLISH a=1 q1 #1']);
    // The retained message is sent again, at QoS 0 and so at once; 2 and 3 still wait for the window.
    expect(await subscriber.send(subscribePacket({ a: 0 }, 5))).toEqual([
      'SUBACK #5 0x00',
      'PUBLISH a=kept retain',
    ]);
    const rest: string[] = [];
    for (const packetId of [1, 2, 3])
      rest.push(...(await subscriber.send(acknowledgement('PUBACK', packetId))));
    expect(rest).toEqual(['PUBLISH a=2 q1 #2', 'PUBLISH a=3 q1 #3']);
    await publisher.send(publishPacket('a', '4', { qos: 1 }));
    expect(await subscriber.take()).toEqual(['PUBLISH a=4']);
  });
});

describe('MQTT 5', () => {
  const expiry = (seconds: number): Properties => [{ name: 'messageExpiryInterval', value: seconds }];

  async function subscribed(qos: QoS, properties: Properties = DAY) {
    const broker = new TestBroker();
    const fields = { clientId: 'subscriber', protocolVersion: 5, cleanStart: false, properties } as const;
    const subscriber = await broker.connect(fields);
    await subscriber.send(subscribePacket({ a: qos }));
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    return { broker, fields, subscriber, publisher };
  }

  it.each(['PUBACK', 'PUBREC'] as const)(
    'a %s of 0x80 or more ends the delivery for good [MQTT-4.4.0-2]',
    async (type) => {
      const qos = type === 'PUBACK' ? 1 : 2;
      const { broker, fields, subscriber, publisher } = await subscribed(qos);
      await publisher.send(publishPacket('a', '1', { qos }), acknowledgement('PUBREL', 1));
      expect(await subscriber.send(acknowledgement(type, 1, 0x83))).toEqual([`PUBLISH a=1 q${qos} #1`]);
      await subscriber.vanish();
      const back = await broker.attempt(fields);
      expect(await back.take()).toEqual([expect.stringMatching(/^CONNACK present/)]);
    },
  );

  it('a message that was sent does not expire [MQTT-4.3.3-7]', async () => {
    const { broker, fields, subscriber, publisher } = await subscribed(2);
    await publisher.send(
      publishPacket('a', '1', { qos: 2, properties: expiry(1) }),
      acknowledgement('PUBREL', 1),
    );
    expect(await subscriber.take()).toEqual(['PUBLISH a=1 q2 #1 messageExpiryInterval=1']);
    await subscriber.vanish();
    await broker.pass(10);
    const back = await broker.attempt(fields);
    expect((await back.take()).slice(1)).toEqual([expect.stringMatching(/^PUBLISH a=1 q2 #1 dup/)]);
    expect(await back.send(acknowledgement('PUBREC', 1))).toEqual(['PUBREL #1']);
  });

  it('a message that expired before PUBREL is still answered to the end, and goes to nobody [MQTT-4.3.3-13]', async () => {
    const { broker, subscriber, publisher } = await subscribed(2);
    expect(await publisher.send(publishPacket('a', '1', { qos: 2, properties: expiry(1) }))).toEqual([
      'PUBREC #1',
    ]);
    await broker.pass(10);
    expect(await publisher.send(acknowledgement('PUBREL', 1))).toEqual(['PUBCOMP #1']);
    expect(await subscriber.take()).toEqual([]);
  });

  it('after a PUBREC that refuses, the same identifier is a new message [MQTT-4.3.3-9]', async () => {
    const { broker, subscriber, publisher } = await subscribed(2);
    expect(await publisher.send(publishPacket('$SYS/x', '1', { qos: 2 }))).toEqual(['PUBREC #1 0x87']);
    // No DUP, other content: were it taken for the same exchange, the log would tell of a reused identifier.
    expect(await publisher.send(publishPacket('a', '2', { qos: 2 }))).toEqual(['PUBREC #1']);
    expect(await publisher.send(acknowledgement('PUBREL', 1))).toEqual(['PUBCOMP #1']);
    expect(await subscriber.take()).toEqual(['PUBLISH a=2 q2 #1']);
    expect(broker.logged.join()).not.toContain('Reused message ID');
  });

  it.each([1, 2, 5, 65_535])(
    'the send quota begins at Receive Maximum %i [MQTT-4.9.0-1] [MQTT-3.3.4-9]',
    async (value) => {
      const { subscriber, publisher } = await subscribed(1, [{ name: 'receiveMaximum', value }]);
      for (let count = 0; count < 8; count++) await publisher.send(publishPacket('a', '1', { qos: 1 }));
      expect(await subscriber.take()).toHaveLength(Math.min(value, 8));
    },
  );

  it('an empty quota holds up nothing but PUBLISH [MQTT-3.3.4-10] [MQTT-4.9.0-3]', async () => {
    const { subscriber, publisher } = await subscribed(2, [{ name: 'receiveMaximum', value: 1 }]);
    await publisher.send(publishPacket('a', '1', { qos: 2 }), acknowledgement('PUBREL', 1));
    await publisher.send(publishPacket('a', '2', { qos: 2 }), acknowledgement('PUBREL', 1));
    expect(await subscriber.take()).toEqual(['PUBLISH a=1 q2 #1']);
    const answers = await subscriber.send(
      PINGREQ,
      subscribePacket({ b: 1 }, 2),
      unsubscribePacket(['b'], 3),
      publishPacket('c', '1', { qos: 1, packetId: 4 }),
      publishPacket('c', '1', { qos: 2, packetId: 5 }),
      acknowledgement('PUBREL', 5),
      acknowledgement('PUBREC', 1),
    );
    expect(answers).toEqual([
      'PINGRESP',
      'SUBACK #2 0x01',
      'UNSUBACK #3 0x00',
      'PUBACK #4 0x10',
      'PUBREC #5',
      'PUBCOMP #5',
      'PUBREL #1',
    ]);
    expect(await subscriber.send(acknowledgement('PUBCOMP', 1))).toEqual(['PUBLISH a=2 q2 #2']);
  });
});
