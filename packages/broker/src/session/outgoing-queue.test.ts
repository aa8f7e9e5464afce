import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { numbersOf, setup, upTo, window } from '../../test/outgoing-setup.js';
import { acknowledgement, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

describe('a session that comes back [MQTT-4.4.0-1] [MQTT311-4.4.0-1] [MQTT-3.3.1-1] [MQTT311-3.3.1-1]', () => {
  for (const version of [3, 4, 5] as const) {
    it(`version ${version}: what was sent comes again, in order, with DUP, then what waited`, async () => {
      const { client, publish, back } = await setup(version, 1, { settings: { maxInflightMessages: 3 } }, [
        window(3),
      ]);
      await publish(1, 5);
      await client.send(acknowledgement('PUBACK', 2));
      await client.vanish();
      await publish(6, 6);
      const second = await back();
      expect(second.lines).toEqual([
        'PUBLISH a=1 q1 #1 dup',
        'PUBLISH a=3 q1 #3 dup',
        'PUBLISH a=4 q1 #4 dup',
      ]);
      const acks = [1, 3, 4].map((packetId) => acknowledgement('PUBACK', packetId));
      expect(await second.client.send(...acks)).toEqual(['PUBLISH a=5 q1 #5', 'PUBLISH a=6 q1 #6']);
    });

    it(`version ${version}: QoS 2 after PUBREC goes on with PUBREL, in the original order`, async () => {
      const { client, publish, back } = await setup(version, 2);
      await publish(1, 3);
      await client.send(acknowledgement('PUBREC', 2));
      await client.vanish();
      const second = await back();
      expect([...second.lines].sort()).toEqual([
        'PUBLISH a=1 q2 #1 dup',
        'PUBLISH a=3 q2 #3 dup',
        'PUBREL #2',
      ]);
      expect(numbersOf(second.lines)).toEqual([1, 3]);
      expect(await second.client.send(acknowledgement('PUBCOMP', 2))).toEqual([]);
      await second.client.vanish();
      expect((await back()).lines).toEqual(['PUBLISH a=1 q2 #1 dup', 'PUBLISH a=3 q2 #3 dup']);
    });
  }

  it('resends within the new window [MQTT-3.3.4-9]', async () => {
    const { client, publish, back } = await setup(5, 1, {}, [window(10)]);
    await publish(1, 5);
    await client.vanish();
    const second = await back([window(2)]);
    expect(second.lines).toEqual(['PUBLISH a=1 q1 #1 dup', 'PUBLISH a=2 q1 #2 dup']);
    expect(await second.client.send(acknowledgement('PUBACK', 2))).toEqual(['PUBLISH a=3 q1 #3 dup']);
  });

  it('nothing is sent again on a live connection', async () => {
    const { broker, client, publish } = await setup(4, 2);
    await publish(1, 2);
    await client.send(acknowledgement('PUBREC', 1));
    await client.take();
    await broker.pass(3600, 60);
    expect(await client.take()).toEqual([]);
  });

  it('DUP goes away where the session was lost', async () => {
    const { broker, client, publish } = await setup(4, 1);
    await publish(1, 2);
    await client.vanish();
    const fresh = await broker.connect({ cleanStart: true });
    expect(await fresh.take()).toEqual([]);
    expect(broker.engine.tree.size).toBe(0);
  });
});

describe('queue limits (broker §9.10)', () => {
  it('offline: exactly max_queued_messages, the newest is dropped, said once (broker T-29)', async () => {
    const { broker, client, publish, back } = await setup(4, 1, { settings: { maxQueuedMessages: 5 } });
    await client.vanish();
    await publish(1, 8);
    expect(broker.engine.counters.dropped).toBe(3);
    const said = 'notice Outgoing messages are being dropped for client client.';
    expect(broker.logged.filter((line) => line === said)).toHaveLength(1);
    expect(numbersOf((await back()).lines)).toEqual(upTo(1, 5));
  });

  it('connected: in-flight limit and max_queued_messages together (broker T-29)', async () => {
    const settings = { maxQueuedMessages: 5, maxInflightMessages: 3 };
    const { broker, client, publisher } = await setup(4, 1, { settings });
    // From itself: nobody is held up by itself, so what is over the bound is dropped.
    for (let number = 1; number <= 10; number++)
      client.write(publishPacket('a', String(number), { qos: 1, packetId: number }));
    client.onPacket = (packet) => {
      if (packet.type === 3) setImmediate(() => client.write(acknowledgement('PUBACK', packet.packetId)));
    };
    await publisher.settle();
    expect(numbersOf(await client.take())).toEqual(upTo(1, 8));
    expect(broker.engine.counters.dropped).toBe(2);
  });

  it('0: everything', async () => {
    const { client, publish, back } = await setup(4, 1, {
      settings: { maxQueuedMessages: 0, maxInflightMessages: 0 },
    });
    await client.vanish();
    await publish(1, 1500);
    expect(numbersOf((await back()).lines)).toEqual(upTo(1, 1500));
  });

  it('offline: QoS 0 is lost', async () => {
    const { client, publish, back } = await setup(4, 1);
    await client.vanish();
    await publish(1, 3, 0);
    expect((await back()).lines).toEqual([]);
  });

  it('offline: QoS 0 is kept with queue_qos0_messages', async () => {
    const { client, publish, back } = await setup(4, 1, { settings: { queueQos0Messages: true } });
    await client.vanish();
    await publish(1, 3, 0);
    const second = await back();
    expect(second.lines).toEqual(['PUBLISH a=1', 'PUBLISH a=2', 'PUBLISH a=3']);
    await second.client.vanish();
    expect((await back()).lines).toEqual([]);
  });

  it.each([
    [0, 1],
    [1, 0],
  ] as const)('offline: QoS 0 and 1 share the bound, QoS %i first', async (first, second) => {
    const settings = { queueQos0Messages: true, maxQueuedMessages: 5 };
    const { client, publish, back } = await setup(4, 1, { settings });
    await client.vanish();
    await publish(1, 3, first);
    await publish(4, 8, second);
    expect(numbersOf((await back()).lines).sort()).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('Maximum Packet Size of the client [MQTT-3.1.2-24] [MQTT-3.1.2-25]', () => {
  const size = (value: number): Property => ({ name: 'maximumPacketSize', value });
  const wide = (length: number) => publishPacket('a', 'x'.repeat(length), { qos: 1 });

  it('counts the whole packet, and drops what is larger as if delivered (broker T-22)', async () => {
    const { broker, client, publisher } = await setup(5, 1, {}, [size(50)]);
    // 2 bytes of Fixed Header, 3 of topic, 2 of Packet Identifier, 1 of Property Length.
    await publisher.send(wide(42), wide(43), wide(1));
    const lines = await client.take();
    expect(lines).toEqual([
      `PUBLISH a=${'x'.repeat(42)} q1 #1`,
      expect.stringMatching(/^PUBLISH a=x q1 #\d$/),
    ]);
    expect(broker.logged).toContain('notice Dropping too large outgoing PUBLISH for client (51 bytes)');
    await client.vanish();
    const session = broker.engine.sessions.get('client');
    expect(session?.outbound.pending).toBe(2);
  });

  it('counts what the connection adds, to the byte', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: 5, clientId: 'client', properties: [size(60)] });
    const identifier: Property = { name: 'subscriptionIdentifier', value: 268_435_455 };
    await client.send(subscribePacket({ a: 1 }, 1, [identifier]));
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    const expiry: Property = { name: 'messageExpiryInterval', value: 100 };
    // Fixed Header 2, topic 3, Packet Identifier 2, Property Length 1, expiry 5, Subscription Identifier 5.
    const lengths = Array.from({ length: 60 }, (_, index) => index);
    for (const length of lengths) {
      await publisher.send(publishPacket('a', 'x'.repeat(length), { properties: [expiry], qos: 1 }));
      const arrived = await client.take();
      expect([length, arrived.length]).toEqual([length, length + 18 <= 60 ? 1 : 0]);
      if (arrived.length > 0)
        await client.send(acknowledgement('PUBACK', Number(/#(\d+)/.exec(arrived[0] ?? '')?.[1])));
    }
  });

  it('is what counts at the time of sending', async () => {
    const { client, publisher, back } = await setup(5, 1, {}, [size(60)]);
    await client.vanish();
    await publisher.send(wide(42), wide(20));
    const second = await back([size(40)]);
    expect(second.lines).toEqual([expect.stringMatching(/^PUBLISH a=x{20} /)]);
  });
});

it('of a client that comes back with a smaller window holds publishers where it is over its bound, and loses nothing (broker B-10)', async () => {
  const { broker, publish, publisher, back } = await setup(5, 1, { settings: { maxQueuedMessages: 2 } }, [
    window(10),
  ]);
  await publish(1, 11);
  const { client, lines } = await back([window(1)]);
  await publish(12, 12);
  expect(broker.engine.counters.dropped).toBe(0);
  for (const packetId of upTo(1, 12)) lines.push(...(await client.send(acknowledgement('PUBACK', packetId))));
  expect(numbersOf(lines)).toEqual(upTo(1, 12));
  expect(await publisher.take()).toEqual(['PUBACK #12']);
  expect(broker.engine.blockedSessions.size).toBe(0);
});
