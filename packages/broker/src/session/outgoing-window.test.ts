import { describe, expect, it } from 'vitest';
import { numbersOf, setup, upTo, window } from '../../test/outgoing-setup.js';
import { acknowledgement, publishPacket, type RawClient, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

describe('Packet Identifiers (broker §9.10)', () => {
  it('come in sequence from 1, for each session [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]', async () => {
    const { client, publish } = await setup(4);
    await publish(1, 3);
    expect(await client.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=2 q1 #2', 'PUBLISH a=3 q1 #3']);
  });

  it('are not taken again while in use, and go on in sequence [MQTT-2.2.1-4] [MQTT311-2.3.1-4]', async () => {
    const { client, publish } = await setup(4);
    await publish(1, 3);
    await client.send(acknowledgement('PUBACK', 2), acknowledgement('PUBACK', 1));
    await client.take();
    await publish(4, 5);
    expect(await client.take()).toEqual(['PUBLISH a=4 q1 #4', 'PUBLISH a=5 q1 #5']);
  });

  it('go on over a reconnect, and start again with a new session', async () => {
    const { broker, client, publish, back } = await setup(4);
    await publish(1, 2);
    await client.send(acknowledgement('PUBACK', 1), acknowledgement('PUBACK', 2));
    await client.vanish();
    const second = await back();
    await publish(3, 3);
    expect(await second.client.take()).toEqual(['PUBLISH a=3 q1 #3']);
    const third = await broker.connect();
    await third.send(subscribePacket({ a: 1 }));
    await publish(4, 4);
    expect(await third.take()).toEqual(['PUBLISH a=4 q1 #1']);
  });

  it('wrap from 65535 to 1, over those in use', async () => {
    const { client, publisher } = await setup(4, 1, { settings: { maxInflightMessages: 0 } });
    const ids: number[] = [];
    client.onPacket = (packet) => {
      if (packet.type !== 3) return;
      ids.push(packet.packetId);
      // The first one stays in flight all the time.
      if (packet.packetId !== 1) client.write(acknowledgement('PUBACK', packet.packetId));
    };
    for (let number = 1; number <= 66_000; number++) {
      publisher.write(publishPacket('a', 'x', { qos: 1, packetId: (number % 60_000) + 1 }));
      if (number % 500 === 0) await publisher.settle();
    }
    await client.take();
    const wrapped = ids.findIndex((id, index) => id < (ids[index - 1] ?? 0));
    expect(ids[wrapped - 1]).toBeGreaterThan(65_500);
    expect(ids.slice(wrapped, wrapped + 3)).toEqual([2, 3, 4]);
    expect(ids.filter((id) => id === 1)).toEqual([1]);
  });
});

describe('in-flight window (broker §9.10)', () => {
  // biome-ignore format: one row a line
  const ROWS = [
    { what: '3.1: max_inflight_messages', version: 3, setting: 3, properties: [], limit: 3 },
    { what: '3.1.1: max_inflight_messages', version: 4, setting: 3, properties: [], limit: 3 },
    { what: '3.1.1: default', version: 4, setting: 20, properties: [], limit: 20 },
    { what: '3.1.1: 0 is no limit', version: 4, setting: 0, properties: [], limit: 40 },
    { what: 'MQTT 5: Receive Maximum below it', version: 5, setting: 20, properties: [window(2)], limit: 2 },
    { what: 'MQTT 5: Receive Maximum above it (broker T-28)', version: 5, setting: 3, properties: [window(7)], limit: 7 },
    { what: 'MQTT 5: no Receive Maximum (broker T-28)', version: 5, setting: 3, properties: [], limit: 40 },
  ] as const;
  for (const { what, version, setting, properties, limit } of ROWS) {
    for (const qos of [1, 2] as const) {
      it(`QoS ${qos}, ${what}: ${limit} [MQTT-3.3.4-9]`, async () => {
        const { client, publish } = await setup(
          version,
          qos,
          { settings: { maxInflightMessages: setting } },
          properties,
        );
        // A publisher's own window would be in the way.
        for (let from = 1; from <= 40; from += 2) await publish(from, from + 1);
        expect(numbersOf(await client.take())).toEqual(upTo(1, limit));
      });
    }
  }

  const full = () => setup(5, 2, {}, [window(2)]);

  it('PUBREC keeps the place, PUBCOMP gives it back [MQTT-4.9.0-2]', async () => {
    const { client, publish } = await full();
    await publish(1, 4);
    await client.take();
    expect(await client.send(acknowledgement('PUBREC', 1))).toEqual(['PUBREL #1']);
    expect(await client.send(acknowledgement('PUBCOMP', 1))).toEqual(['PUBLISH a=3 q2 #3']);
  });

  it('a refusing PUBREC gives it back, without PUBREL [MQTT-4.9.0-2]', async () => {
    const { client, publish } = await full();
    await publish(1, 4);
    await client.take();
    expect(await client.send(acknowledgement('PUBREC', 2, 0x97))).toEqual(['PUBLISH a=3 q2 #3']);
  });

  it('PUBACK gives it back, with an error too [MQTT-4.9.0-2]', async () => {
    const { client, publish } = await setup(5, 1, {}, [window(2)]);
    await publish(1, 5);
    await client.take();
    expect(await client.send(acknowledgement('PUBACK', 1))).toEqual(['PUBLISH a=3 q1 #3']);
    expect(await client.send(acknowledgement('PUBACK', 2, 0x80))).toEqual(['PUBLISH a=4 q1 #4']);
  });

  it('QoS 0 does not wait for it [MQTT-4.9.0-3]', async () => {
    const { client, publish } = await setup(5, 1, {}, [window(1)]);
    await publish(1, 2);
    await publish(3, 3, 0);
    expect(await client.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=3']);
  });
});

describe('acknowledgements that do not fit (broker §9.10)', () => {
  // In flight: #1 QoS 1, #2 QoS 2, #3 QoS 2 with PUBREC received.
  async function inFlight(version: 4 | 5): Promise<RawClient> {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: version });
    await client.send(subscribePacket({ one: 1, two: 2 }));
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('one', 'x', { qos: 1 }));
    for (const packetId of [2, 3])
      await publisher.send(
        publishPacket('two', 'x', { qos: 2, packetId }),
        acknowledgement('PUBREL', packetId),
      );
    expect((await client.send(acknowledgement('PUBREC', 3))).at(-1)).toBe('PUBREL #3');
    return client;
  }

  const VIOLATION = { 4: 'closed', 5: 'e0 01 82 closed' } as const;
  // biome-ignore format: one row a line
  const ROWS = [
    { what: 'PUBACK for an unknown identifier', type: 'PUBACK', packetId: 9, answer: '' },
    { what: 'PUBCOMP for an unknown identifier', type: 'PUBCOMP', packetId: 9, answer: '' },
    { what: 'PUBREC for an unknown identifier', type: 'PUBREC', packetId: 9, answer: '62 02 00 09' },
    { what: 'PUBREC again', type: 'PUBREC', packetId: 3, answer: '62 02 00 03' },
    { what: 'PUBACK for QoS 2', type: 'PUBACK', packetId: 2, answer: undefined },
    { what: 'PUBREC for QoS 1', type: 'PUBREC', packetId: 1, answer: undefined },
    { what: 'PUBCOMP for QoS 1', type: 'PUBCOMP', packetId: 1, answer: undefined },
    { what: 'PUBCOMP before PUBREC', type: 'PUBCOMP', packetId: 2, answer: undefined },
  ] as const;
  for (const { what, type, packetId, answer } of ROWS) {
    for (const version of [4, 5] as const) {
      it(`version ${version}: ${what}: ${answer ?? VIOLATION[version]}`, async () => {
        const client = await inFlight(version);
        expect(await client.exchange(acknowledgement(type, packetId))).toBe(answer ?? VIOLATION[version]);
      });
    }
  }

  it('a Reason Code that the packet does not have', async () => {
    const client = await inFlight(5);
    expect(await client.exchange('40 03 0001 92')).toBe('e0 01 82 closed');
  });
});
