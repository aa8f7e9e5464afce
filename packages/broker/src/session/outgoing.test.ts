import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { acknowledgement, publishPacket, type RawClient, subscribePacket } from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

const SEI: Property = { name: 'sessionExpiryInterval', value: 1000 };
const window = (value: number): Property => ({ name: 'receiveMaximum', value });
const lasting = (protocolVersion: 3 | 4 | 5, properties: readonly Property[] = []) => ({
  protocolVersion,
  cleanStart: false,
  properties: protocolVersion === 5 ? [SEI, ...properties] : [],
});

interface Setup {
  readonly broker: TestBroker;
  readonly client: RawClient;
  readonly publisher: RawClient;
  /** Publishes numbered messages to `a`. */
  publish(from: number, to: number, qos?: 0 | 1 | 2): Promise<void>;
  /** The client again; what it was sent behind CONNACK. */
  back(properties?: readonly Property[]): Promise<{ client: RawClient; lines: string[] }>;
}

async function setup(
  version: 3 | 4 | 5,
  qos: 0 | 1 | 2 = 1,
  options: TestBrokerOptions = {},
  properties: readonly Property[] = [],
): Promise<Setup> {
  const broker = new TestBroker(options);
  const client = await broker.connect(lasting(version, properties));
  await client.send(subscribePacket({ a: qos }));
  const publisher = await broker.connect({ clientId: 'publisher' });
  const publish = async (from: number, to: number, level: 0 | 1 | 2 = qos): Promise<void> => {
    for (let number = from; number <= to; number++) {
      publisher.write(publishPacket('a', String(number), { qos: level, packetId: level === 0 ? 0 : number }));
      if (level === 2) publisher.write(acknowledgement('PUBREL', number));
    }
    await publisher.take();
  };
  const back = async (changed: readonly Property[] = properties) => {
    const again = await broker.attempt(lasting(version, changed));
    const [connack, ...lines] = await again.take();
    expect(connack).toMatch(/^CONNACK (present )?0x00/);
    return { client: again, lines };
  };
  return { broker, client, publisher, publish, back };
}

const numbersOf = (lines: readonly string[]): number[] =>
  lines.flatMap((line) => {
    const found = /^PUBLISH a=(\d+)/.exec(line);
    return found === null ? [] : [Number(found[1])];
  });
const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('Packet Identifiers', () => {
  it('come in sequence from 1, for each session [MQTT-2.2.1-4]', async () => {
    const { client, publish } = await setup(4);
    await publish(1, 3);
    expect(await client.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=2 q1 #2', 'PUBLISH a=3 q1 #3']);
  });

  it('are not taken again while in use, and go on in sequence [MQTT-2.2.1-3]', async () => {
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

describe('in-flight window', () => {
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

describe('a session that comes back [MQTT-4.4.0-1]', () => {
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

describe('queue limits', () => {
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
    expect(broker.logged.join('\n')).toContain('Dropping too large outgoing PUBLISH');
    await client.vanish();
    const session = broker.engine.sessions.get('client');
    expect(session?.outbound.pending).toBe(2);
  });

  it('is what counts at the time of sending', async () => {
    const { client, publisher, back } = await setup(5, 1, {}, [size(60)]);
    await client.vanish();
    await publisher.send(wide(42), wide(20));
    const second = await back([size(40)]);
    expect(second.lines).toEqual([expect.stringMatching(/^PUBLISH a=x{20} /)]);
  });
});
