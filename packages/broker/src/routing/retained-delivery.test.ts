import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { acknowledgement, publishPacket, subscribePacket, unsubscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const expires = (value: number): Property[] => [{ name: 'messageExpiryInterval', value }];

describe('Retain Handling (broker §9.8)', () => {
  // biome-ignore format: one row a line
  const ROWS = [
    { retainHandling: 0, isNew: true, sends: true, ref: '[MQTT-3.3.1-9]' },
    { retainHandling: 0, isNew: false, sends: true, ref: '[MQTT-3.3.1-9]' },
    { retainHandling: 1, isNew: true, sends: true, ref: '[MQTT-3.3.1-10]' },
    { retainHandling: 1, isNew: false, sends: false, ref: '[MQTT-3.3.1-10]' },
    { retainHandling: 2, isNew: true, sends: false, ref: '[MQTT-3.3.1-11]' },
    { retainHandling: 2, isNew: false, sends: false, ref: '[MQTT-3.3.1-11]' },
  ] as const;
  for (const { retainHandling, isNew, sends, ref } of ROWS) {
    it(`${retainHandling}, ${isNew ? 'new' : 'known'} subscription: ${sends ? 'sent' : 'not sent'} ${ref}`, async () => {
      const client = await new TestBroker().connect({ protocolVersion: 5 });
      await client.send(publishPacket('a', '1', { retain: true }));
      if (!isNew) await client.send(subscribePacket({ a: { retainHandling: 2 } }));
      const lines = await client.send(subscribePacket({ a: { retainHandling } }));
      expect(lines.slice(1)).toEqual(sends ? ['PUBLISH a=1 retain'] : []);
    });
  }

  it('1: a subscription that was given up is new again', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(publishPacket('a', '1', { retain: true }));
    await client.send(subscribePacket({ a: 0 }), unsubscribePacket(['a']));
    expect((await client.send(subscribePacket({ a: { retainHandling: 1 } }))).slice(1)).toHaveLength(1);
  });

  it.each([3, 4] as const)('version %i: always', async (protocolVersion) => {
    const client = await new TestBroker().connect({ protocolVersion });
    await client.send(publishPacket('a', '1', { retain: true }));
    for (let round = 0; round < 2; round++) {
      expect(await client.send(subscribePacket({ a: 0 }))).toEqual(['SUBACK #1 0x00', 'PUBLISH a=1 retain']);
    }
  });

  it('never for a shared subscription', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(publishPacket('a', '1', { retain: true }));
    expect(await client.send(subscribePacket({ '$share/g/a': 0 }))).toEqual(['SUBACK #1 0x00']);
  });
});

describe('a retained message (broker §9.9)', () => {
  it('is the last of its topic, QoS 0 ones too [MQTT-3.3.1-5] [MQTT311-3.3.1-5] [MQTT311-3.3.1-7]', async () => {
    const broker = new TestBroker();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', '1', { retain: true, qos: 1 }));
    await publisher.send(publishPacket('a', '2', { retain: true }), publishPacket('a', '3'));
    const client = await broker.connect();
    expect((await client.send(subscribePacket({ '#': 1 }))).slice(1)).toEqual(['PUBLISH a=2 retain']);
  });

  it.each([0, 1, 2] as const)('with QoS %i comes at the lower QoS', async (qos) => {
    const client = await new TestBroker().connect();
    await client.send(publishPacket('a', '1', { retain: true, qos }), acknowledgement('PUBREL', 1));
    const lines = await client.send(subscribePacket({ a: 1 }));
    expect(lines.at(-1)).toBe(`PUBLISH a=1${qos > 0 ? ' q1 #1' : ''} retain`);
  });

  it('is cleared by an empty payload, which is delivered live [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT311-3.3.1-10] [MQTT311-3.3.1-11]', async () => {
    const client = await new TestBroker().connect();
    await client.send(publishPacket('a', '1', { retain: true }), subscribePacket({ '#': 0 }));
    expect(await client.send(publishPacket('a', '', { retain: true }))).toEqual(['PUBLISH a=']);
    expect(await client.send(subscribePacket({ a: 0 }))).toEqual(['SUBACK #1 0x00']);
  });

  it('keeps its properties, and gets the identifier of the subscription', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    const properties: Property[] = [{ name: 'contentType', value: 't' }];
    await client.send(publishPacket('a', '1', { retain: true, properties }));
    const lines = await client.send(
      subscribePacket({ a: 0 }, 1, [{ name: 'subscriptionIdentifier', value: 8 }]),
    );
    expect(lines[1]).toBe('PUBLISH a=1 retain contentType=t subscriptionIdentifier=8');
  });

  it('comes once for each filter that matches', async () => {
    const client = await new TestBroker().connect();
    await client.send(publishPacket('a/b', '1', { retain: true }));
    const lines = await client.send(subscribePacket({ 'a/b': 0, 'a/+': 0, '#': 0, 'b/#': 0 }));
    expect(lines.slice(1)).toEqual(Array(3).fill('PUBLISH a/b=1 retain'));
  });

  it('with a $ topic is not found by a wildcard', async () => {
    const client = await new TestBroker().connect();
    await client.send(publishPacket('$a/b', '1', { retain: true }));
    expect(await client.send(subscribePacket({ '#': 0, '+/b': 0 }))).toEqual(['SUBACK #1 0x00 0x00']);
    expect((await client.send(subscribePacket({ '$a/#': 0 }))).slice(1)).toEqual(['PUBLISH $a/b=1 retain']);
  });

  it('of QoS 2 is there from PUBREL on', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    await client.send(publishPacket('a', '1', { retain: true, qos: 2 }));
    expect(broker.engine.retained.size).toBe(0);
    await client.send(acknowledgement('PUBREL', 1));
    expect(broker.engine.retained.size).toBe(1);
  });

  it('outlives its publisher', async () => {
    const broker = new TestBroker();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', '1', { retain: true }));
    await publisher.vanish();
    const client = await broker.connect();
    expect((await client.send(subscribePacket({ a: 0 }))).slice(1)).toEqual(['PUBLISH a=1 retain']);
  });
});

describe('many retained messages (broker B-10)', () => {
  it('all come, in a window of one, with some that cannot be sent among them', async () => {
    const broker = new TestBroker();
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let count = 0; count < 30; count++) {
      const payload = count % 3 === 1 ? 'x'.repeat(100) : String(count);
      await publisher.send(publishPacket(`a/${count}`, payload, { retain: true, qos: 1 }));
    }
    const client = await broker.connect({
      protocolVersion: 5,
      properties: [
        { name: 'receiveMaximum', value: 1 },
        { name: 'maximumPacketSize', value: 60 },
      ],
    });
    // Later, as over a network: the broker knows by then that its socket took what it wrote.
    client.onPacket = (packet) => {
      if (packet.type === 3) setImmediate(() => client.write(acknowledgement('PUBACK', packet.packetId)));
    };
    const lines = await client.send(subscribePacket({ 'a/+': 1 }));
    expect(lines.filter((line) => line.startsWith('PUBLISH'))).toHaveLength(20);
  });

  it('at QoS 0 do not wait for a full window, nor for others that do (broker §9.10)', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 2 } });
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let count = 0; count < 100; count++)
      publisher.write(publishPacket(`a/${count}`, String(count), { retain: true, qos: 1 }));
    await publisher.take();
    const client = await broker.connect();
    // In the order of the filters as long as nothing waits.
    const first = await client.send(subscribePacket({ 'a/1': 0, 'a/+': 1, 'a/2': 0 }));
    expect(first.slice(0, 4)).toEqual([
      'SUBACK #1 0x00 0x01 0x00',
      'PUBLISH a/1=1 retain',
      expect.stringMatching(/ q1 #1 retain$/),
      expect.stringMatching(/ q1 #2 retain$/),
    ]);
    expect(first.slice(4)).toEqual(['PUBLISH a/2=2 retain']);
    const second = await client.send(subscribePacket({ 'a/#': 0 }, 2));
    expect(second).toHaveLength(101);
    expect(second.every((line, index) => index === 0 || / retain$/.test(line))).toBe(true);
    // The others come when there is room.
    client.onPacket = (packet) => {
      if (packet.type === 3 && packet.qos === 1) client.write(acknowledgement('PUBACK', packet.packetId));
    };
    const rest = await client.send(acknowledgement('PUBACK', 1), acknowledgement('PUBACK', 2));
    expect(rest.filter((line) => / q1 /.test(line))).toHaveLength(98);
  });

  it('at QoS 0 wait for the window where their subscription asks for QoS 1 meanwhile', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 1, maxQueuedMessages: 5 } });
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let count = 0; count < 500; count++)
      publisher.write(publishPacket(`a/${count}`, String(count), { retain: true, qos: 1 }));
    await publisher.take();
    const client = await broker.connect({
      protocolVersion: 5,
      properties: [{ name: 'receiveMaximum', value: 1 }],
    });
    client.write(subscribePacket({ 'a/+': 0 }), subscribePacket({ 'a/+': { qos: 1, retainHandling: 2 } }, 2));
    client.onPacket = (packet) => {
      if (packet.type === 3 && packet.qos === 1)
        setImmediate(() => client.write(acknowledgement('PUBACK', packet.packetId)));
    };
    const lines = await client.take();
    const got = lines.flatMap((line) => /^PUBLISH a\/(\d+)=/.exec(line)?.[1] ?? []);
    expect(new Set(got).size).toBe(500);
    expect(broker.engine.counters.dropped).toBe(0);
  });

  it('go on where a session comes back in the middle of them [MQTT-3.1.2-23]', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 1 } });
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let count = 0; count < 6; count++)
      await publisher.send(publishPacket(`a/${count}`, String(count), { retain: true, qos: 1 }));
    const fields = { cleanStart: false };
    let client = await broker.connect(fields);
    const seen = new Set(await client.send(subscribePacket({ 'a/+': 1 })));
    for (let packetId = 1; packetId <= 6; packetId++) {
      await client.vanish();
      client = await broker.attempt(fields);
      for (const line of await client.take()) seen.add(line);
      for (const line of await client.send(acknowledgement('PUBACK', packetId))) seen.add(line);
    }
    const payloads = [...seen].flatMap((line) => /^PUBLISH a\/\d=(\d)/.exec(line)?.[1] ?? []);
    expect([...new Set(payloads)]).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('are not dropped, however many', async () => {
    const broker = new TestBroker({ settings: { maxQueuedMessages: 5 } });
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let count = 0; count < 100; count++)
      publisher.write(publishPacket(`a/${count}`, String(count), { retain: true, qos: 1 }));
    await publisher.take();
    const client = await broker.connect();
    client.onPacket = (packet) => {
      if (packet.type === 3) client.write(acknowledgement('PUBACK', packet.packetId));
    };
    const lines = await client.send(subscribePacket({ 'a/+': 1 }));
    expect(lines.filter((line) => line.startsWith('PUBLISH'))).toHaveLength(100);
    expect(broker.engine.counters.dropped).toBe(0);
  });
});

describe('Message Expiry Interval [MQTT-3.3.2-5] [MQTT-3.3.2-6]', () => {
  it('runs while a message is retained', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: 5 });
    await client.send(publishPacket('a', '1', { retain: true, properties: expires(10) }));
    await broker.pass(4);
    expect((await client.send(subscribePacket({ a: 0 })))[1]).toBe(
      'PUBLISH a=1 retain messageExpiryInterval=6',
    );
    await broker.pass(6);
    expect(await client.send(subscribePacket({ a: 0 }))).toEqual(['SUBACK #1 0x00']);
    expect(broker.engine.retained.size).toBe(0);
  });

  it('runs while a message waits for an offline session', async () => {
    const broker = new TestBroker();
    const fields = {
      protocolVersion: 5,
      cleanStart: false,
      properties: [{ name: 'sessionExpiryInterval', value: 1000 }],
    } as const;
    const client = await broker.connect(fields);
    await client.send(subscribePacket({ a: 1 }));
    await client.vanish();
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    for (const [payload, seconds] of [
      ['short', 5],
      ['long', 50],
    ] as const) {
      await publisher.send(publishPacket('a', payload, { qos: 1, properties: expires(seconds) }));
    }
    await broker.pass(10);
    const back = await broker.attempt(fields);
    const lines = (await back.take()).slice(1);
    expect(lines).toEqual([expect.stringMatching(/^PUBLISH a=long q1 #\d messageExpiryInterval=40$/)]);
  });

  it('runs while a message waits for the window, and not once it was sent', async () => {
    const broker = new TestBroker();
    const fields = {
      protocolVersion: 5,
      cleanStart: false,
      properties: [
        { name: 'sessionExpiryInterval', value: 1000 },
        { name: 'receiveMaximum', value: 1 },
      ],
    } as const;
    const client = await broker.connect(fields);
    await client.send(subscribePacket({ a: 1 }));
    for (const payload of ['1', '2', '3'])
      client.write(publishPacket('a', payload, { qos: 1, properties: expires(payload === '3' ? 100 : 5) }));
    await client.take();
    await broker.pass(10);
    await client.vanish();
    const back = await broker.attempt(fields);
    // Sent before: it is sent again with its Packet Identifier, and with what is left, which is no time.
    expect((await back.take()).slice(1)).toEqual(['PUBLISH a=1 q1 #1 dup messageExpiryInterval=1']);
    expect(await back.send(acknowledgement('PUBACK', 1))).toEqual([
      'PUBLISH a=3 q1 #3 messageExpiryInterval=90',
    ]);
  });

  it('of 0 is none: never expires, and is not passed on (broker T-26)', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.send(publishPacket('a', '1', { retain: true, properties: expires(0) }))).toEqual([
      'PUBLISH a=1',
    ]);
    await broker.pass(100);
    expect((await client.send(subscribePacket({ a: 0 })))[1]).toBe('PUBLISH a=1 retain');
  });

  it('passes whole to who is there', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.send(publishPacket('a', '1', { properties: expires(0xffff_ffff) }))).toEqual([
      'PUBLISH a=1 messageExpiryInterval=4294967295',
    ]);
  });
});

describe('retain_expiry_interval', () => {
  it('ends retained messages, says nothing of it to subscribers, and does not end their own expiry', async () => {
    const broker = new TestBroker({ settings: { retainExpiryInterval: 1 } });
    const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
    for (const [topic, value] of [
      ['short', 30],
      ['long', 90],
    ] as const) {
      const properties = [{ name: 'messageExpiryInterval', value } as const];
      await publisher.send(publishPacket(topic, 'x', { retain: true, properties }));
    }
    await publisher.send(publishPacket('none', 'x', { retain: true }));
    const seenAfter = async (seconds: number): Promise<string[]> => {
      await broker.pass(seconds);
      const client = await broker.connect({ protocolVersion: 5, clientId: 'watcher' });
      return (await client.send(subscribePacket({ '#': 0 }))).slice(1);
    };
    expect(await seenAfter(29)).toEqual([
      'PUBLISH short=x retain messageExpiryInterval=1',
      'PUBLISH long=x retain messageExpiryInterval=61',
      'PUBLISH none=x retain',
    ]);
    expect(await seenAfter(30)).toEqual([
      'PUBLISH long=x retain messageExpiryInterval=31',
      'PUBLISH none=x retain',
    ]);
    expect(await seenAfter(1)).toEqual([]);
  });

  it('is taken over with a reload, for what is there too (broker T-6)', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    await client.send(publishPacket('a', 'x', { retain: true }));
    await broker.pass(90);
    await broker.reload({ retainExpiryInterval: 2 });
    await broker.pass(29);
    expect(broker.engine.retained.size).toBe(1);
    await broker.pass(1);
    expect(broker.engine.retained.size).toBe(0);
  });
});
