import { describe, expect, it } from 'vitest';
import { acknowledgement, PINGREQ, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

const deep = 'a/'.repeat(201);

describe('a PUBLISH that costs the client its connection (broker §9.7)', () => {
  // biome-ignore format: one row a line
  const ROWS: readonly { what: string; v3?: string; v5?: string; code?: number; options?: TestBrokerOptions }[] = [
    { what: 'QoS 3 [MQTT-3.3.1-4] [MQTT311-3.3.1-4]', v3: '36 05 0001 61 0001', v5: '36 06 0001 61 0001 00', code: 0x81 },
    { what: 'DUP with QoS 0 [MQTT-3.3.1-2] [MQTT311-3.3.1-2]', v3: '38 03 0001 61', v5: '38 04 0001 61 00', code: 0x81 },
    { what: 'empty topic [MQTT-4.7.3-1] [MQTT311-4.7.3-1]', v3: '30 02 0000', v5: '30 03 0000 00', code: 0x82 },
    { what: 'topic with # [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT311-3.3.2-2] [MQTT311-4.7.1-1]', v3: '30 05 0003 612f23', v5: '30 06 0003 612f23 00', code: 0x81 },
    { what: 'topic with + [MQTT-3.3.2-2] [MQTT311-3.3.2-2]', v3: '30 05 0003 612f2b', v5: '30 06 0003 612f2b 00', code: 0x81 },
    { what: 'topic with NUL [MQTT-4.7.3-2] [MQTT311-4.7.3-2]', v3: '30 03 0001 00', v5: '30 04 0001 00 00', code: 0x81 },
    { what: 'topic that is not UTF-8 [MQTT-3.3.2-1] [MQTT311-3.3.2-1]', v3: '30 03 0001 ff', v5: '30 04 0001 ff 00', code: 0x81 },
    { what: 'topic with a control character (broker T-47)', v3: '30 03 0001 1f', v5: '30 04 0001 1f 00', code: 0x81 },
    { what: 'topic that is cut off', v3: '30 03 0005 61', v5: '30 03 0005 61', code: 0x81 },
    { what: 'no Packet Identifier', v3: '32 03 0001 61', v5: '32 03 0001 61', code: 0x81 },
    { what: 'QoS over max_qos [MQTT-3.2.2-11]', v3: '34 05 0001 61 0001', v5: '34 06 0001 61 0001 00', code: 0x9b, options: { listener: { maxQos: 1 } } },
    { what: 'RETAIN without retain_available [MQTT-3.2.2-14]', v3: '31 03 0001 61', v5: '31 04 0001 61 00', code: 0x9a, options: { settings: { retainAvailable: false } } },
    { what: 'Topic Alias over the maximum [MQTT-3.3.2-9]', v5: '30 07 0001 61 03 23 000b', code: 0x94 },
    { what: 'any Topic Alias where none may be used [MQTT-3.3.2-9]', v5: '30 07 0001 61 03 23 0001', code: 0x94, options: { listener: { maxTopicAlias: 0 } } },
    { what: 'Topic Alias that was never set', v5: '30 06 0000 03 23 0001', code: 0x82 },
  ];
  for (const { what, v3, v5, code = 0, options } of ROWS) {
    for (const protocolVersion of [3, 4, 5] as const) {
      const hex = protocolVersion === 5 ? v5 : v3;
      if (hex === undefined) continue;
      it(`version ${protocolVersion}: ${what}`, async () => {
        const broker = new TestBroker(options);
        const client = await broker.connect({ protocolVersion });
        const answer = await client.exchange(hex, PINGREQ);
        expect(answer).toBe(protocolVersion === 5 ? `e0 01 ${code.toString(16)} closed` : 'closed');
      });
    }
  }

  it('more than 200 level separators', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    expect(await client.send(publishPacket(deep.slice(0, 400), '1'), PINGREQ)).toEqual(['PINGRESP']);
    expect(await client.send(publishPacket(deep, '1'), PINGREQ)).toEqual(['DISCONNECT 0x81', 'closed']);
  });
});

describe('a PUBLISH that is refused without harm (broker §9.7)', () => {
  const small: TestBrokerOptions = { settings: { messageSizeLimit: 3 } };
  // biome-ignore format: one row a line
  const ROWS = [
    { what: 'payload over message_size_limit (broker T-21)', topic: 'a', payload: '1234', options: small, code: '95' },
    { what: 'topic below $SYS (broker T-49)', topic: '$SYS/a', payload: '1', options: {}, code: '87' },
    { what: 'topic $share/a/b', topic: '$share/a/b', payload: '1', options: {}, code: '87' },
  ];
  for (const { what, topic, payload, options, code } of ROWS) {
    for (const protocolVersion of [3, 4, 5] as const) {
      const refusal = protocolVersion === 5 ? ` ${code}` : '';
      it(`version ${protocolVersion}: ${what}`, async () => {
        const broker = new TestBroker(options);
        const watcher = await broker.connect({ clientId: 'watcher' });
        await watcher.send(subscribePacket({ '#': 0, '$SYS/#': 0, '$share/a/b': 0 }));
        const client = await broker.connect({ protocolVersion });
        const send = (qos: 0 | 1 | 2) =>
          client.exchange(publishPacket(topic, payload, { qos, packetId: qos === 0 ? 0 : 7, retain: true }));
        expect(await send(0)).toBe('');
        // As bytes: table 2-6 of the specification does not have 0x95 for PUBACK and PUBREC.
        expect(await send(1)).toBe(refusal === '' ? '40 02 00 07' : `40 03 00 07${refusal}`);
        expect(await send(2)).toBe(refusal === '' ? '50 02 00 07' : `50 03 00 07${refusal}`);
        expect(await client.send(acknowledgement('PUBREL', 7))).toEqual(['PUBCOMP #7']);
        expect(await watcher.take()).toEqual([]);
        expect(broker.engine.retained.size).toBe(0);
      });
    }
  }

  it('a payload of exactly message_size_limit is taken', async () => {
    const client = await new TestBroker(small).connect({ protocolVersion: 5 });
    expect(await client.send(publishPacket('a', '123', { qos: 1 }))).toEqual(['PUBACK #1 0x10']);
  });
});

describe('topics that start with $ (broker §9.7)', () => {
  it.each(['$a', '$other/x', '$', '$Sys', '$shar', '$SYS/broker/connection/a/state'])(
    '%s is an ordinary topic',
    async (topic) => {
      const client = await new TestBroker().connect({ protocolVersion: 5 });
      await client.send(subscribePacket({ [topic]: 0, '#': 0 }));
      expect(await client.send(publishPacket(topic, '1', { qos: 1 }))).toEqual([
        `PUBLISH ${topic}=1`,
        'PUBACK #1',
      ]);
    },
  );

  it.each(['$SYS', '$SYSx', '$SYS/broker/connection/a/b/state', '$share', '$shared'])(
    '%s is for nobody to publish to (broker §4.4)',
    async (topic) => {
      const client = await new TestBroker().connect({ protocolVersion: 5 });
      expect(await client.send(publishPacket(topic, '1', { qos: 1 }))).toEqual(['PUBACK #1 0x87']);
    },
  );
});

describe('PUBACK [MQTT-3.3.4-1] [MQTT311-3.3.4-1]', () => {
  // biome-ignore format: one row a line
  const ROWS = [
    { what: 'nobody subscribed', filters: {}, code: ' 0x10' },
    { what: 'a subscription matches', filters: { a: 0 as const }, code: '' },
    { what: 'only a subscription with No Local matches (broker T-20)', filters: { a: { noLocal: true } }, code: '' },
    { what: 'only a shared subscription matches (broker T-20)', filters: { '$share/g/a': 0 as const }, code: '' },
  ];
  for (const { what, filters, code } of ROWS) {
    it(`MQTT 5: ${what}: ${code === '' ? '0x00' : code.trim()}`, async () => {
      const client = await new TestBroker().connect({ protocolVersion: 5 });
      if (Object.keys(filters).length > 0) await client.send(subscribePacket(filters));
      const lines = await client.send(publishPacket('a', '1', { qos: 1, packetId: 9 }));
      expect(lines.at(-1)).toBe(`PUBACK #9${code}`);
    });
  }

  it.each([3, 4] as const)('version %i: has no code', async (protocolVersion) => {
    const client = await new TestBroker().connect({ protocolVersion });
    expect(await client.exchange(publishPacket('a', '1', { qos: 1, packetId: 9 }))).toBe('40 02 00 09');
  });

  it('comes after the copy to the publisher itself (broker T-17)', async () => {
    const client = await new TestBroker().connect();
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.send(publishPacket('a', '1', { qos: 1 }))).toEqual(['PUBLISH a=1', 'PUBACK #1']);
    expect(await client.send(publishPacket('a', '2', { qos: 2 }), acknowledgement('PUBREL', 1))).toEqual([
      'PUBREC #1',
      'PUBLISH a=2',
      'PUBCOMP #1',
    ]);
  });

  it('acknowledges in the order of the messages [MQTT-4.6.0-2]', async () => {
    const client = await new TestBroker().connect();
    const packets = [5, 2, 9].map((packetId) => publishPacket('a', 'x', { qos: 1, packetId }));
    expect(await client.send(...packets)).toEqual(['PUBACK #5', 'PUBACK #2', 'PUBACK #9']);
  });
});

it('forwards (broker §9.7) a payload that is not the UTF-8 it says it is', async () => {
  const client = await new TestBroker().connect({ protocolVersion: 5 });
  await client.send(subscribePacket({ a: 0 }));
  expect(await client.exchange('30 07 0001 61 02 01 01 ff')).toBe('30 07 00 01 61 02 01 01 ff');
});
