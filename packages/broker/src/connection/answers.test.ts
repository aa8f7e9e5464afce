import type { Properties } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  disconnectPacket,
  PINGREQ,
  publishPacket,
  type RawClient,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

// Every packet that the broker sends to an MQTT 5 client, to the byte: the shortest form, so that it has no Reason
// String and no User Property, which a client may not want (3.1.2.11.7) or not have room for.

interface Row {
  readonly what: string;
  readonly options?: TestBrokerOptions;
  /** What is asked of the broker. */
  readonly ask: (client: RawClient) => Promise<string>;
  readonly answer: string;
}

/** A message that the broker has sent and that waits for its acknowledgement, with QoS 2. */
async function underWay(client: RawClient): Promise<void> {
  await client.send(subscribePacket({ own: 2 }));
  await client.send(publishPacket('own', 'x', { qos: 2, packetId: 9 }), acknowledgement('PUBREL', 9));
}

// biome-ignore format: one row a line
const ANSWERS: readonly Row[] = [
  { what: 'PUBACK [MQTT-3.4.2-1] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-2.2.1-5]', ask: async (client) => { await client.send(subscribePacket({ a: 0 })); return client.exchange('32 06 0001 62 1234 00'); }, answer: '40 03 12 34 10' },
  { what: 'PUBACK for a message that somebody gets', ask: async (client) => { await client.send(subscribePacket({ b: { noLocal: true } })); return client.exchange('32 06 0001 62 1234 00'); }, answer: '40 02 12 34' },
  { what: 'PUBACK that refuses [MQTT-3.4.2-1]', ask: (client) => client.exchange(publishPacket('$SYS/x', '1', { qos: 1, packetId: 0x1234 })), answer: '40 03 12 34 87' },
  { what: 'PUBREC [MQTT-3.5.2-1] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-2.2.1-5] [MQTT-4.3.3-8]', ask: (client) => client.exchange('34 06 0001 62 1234 00'), answer: '50 02 12 34' },
  { what: 'PUBREC that refuses [MQTT-3.5.2-1]', ask: (client) => client.exchange(publishPacket('$SYS/x', '1', { qos: 2, packetId: 0x1234 })), answer: '50 03 12 34 87' },
  { what: 'PUBREC over the Receive Maximum [MQTT-3.5.2-1]', options: { settings: { maxInflightMessages: 1 } }, ask: async (client) => { await client.send('34 06 0001 62 0001 00'); return client.exchange('34 06 0001 62 1234 00'); }, answer: '50 03 12 34 97' },
  { what: 'PUBREL [MQTT-3.6.2-1] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-2.2.1-5] [MQTT-4.3.3-4]', ask: async (client) => { await underWay(client); return client.exchange('50 02 0001'); }, answer: '62 02 00 01' },
  { what: 'PUBREL for what nobody knows', ask: (client) => client.exchange('50 02 1234'), answer: '62 02 12 34' },
  { what: 'PUBCOMP [MQTT-3.7.2-1] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-2.2.1-5] [MQTT-4.3.3-11]', ask: async (client) => { await client.send('34 06 0001 62 1234 00'); return client.exchange('62 02 1234'); }, answer: '70 02 12 34' },
  { what: 'PUBCOMP for what nobody knows [MQTT-3.7.2-1]', ask: (client) => client.exchange('62 02 1234'), answer: '70 02 12 34' },
  { what: 'SUBACK [MQTT-3.8.4-2] [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.9.3-2] [MQTT-2.2.1-6] [MQTT-2.2.2-1]', ask: (client) => client.exchange(subscribePacket({ a: 0, b: 1, c: 2 }, 0x1234)), answer: '90 06 12 34 00 00 01 02' },
  { what: 'UNSUBACK [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.11.3-2] [MQTT-2.2.1-6] [MQTT-2.2.2-1]', ask: async (client) => { await client.send(subscribePacket({ a: 0, b: 1 })); return client.exchange(unsubscribePacket(['x', 'a', 'b'], 0x1234)); }, answer: 'b0 06 12 34 00 11 00 00' },
  { what: 'PINGRESP [MQTT-3.12.4-1]', ask: (client) => client.exchange(PINGREQ), answer: 'd0 00' },
];

/** What a client may say of how much it wants to be told, and how large. */
const WISHES: readonly { readonly what: string; readonly properties: Properties }[] = [
  { what: 'a client', properties: [] },
  {
    what: 'a client with Request Problem Information 0 [MQTT-3.1.2-29]',
    properties: [{ name: 'requestProblemInformation', value: 0 }],
  },
  {
    what: 'a client with Request Problem Information 1',
    properties: [{ name: 'requestProblemInformation', value: 1 }],
  },
  {
    what: 'a client with a Maximum Packet Size of little more than CONNACK',
    properties: [{ name: 'maximumPacketSize', value: 20 }],
  },
];

for (const { what: who, properties } of WISHES) {
  describe(`${who} gets`, () => {
    it.each(ANSWERS)('$what', async ({ options, ask, answer }) => {
      const client = await new TestBroker(options).connect({ protocolVersion: 5, properties });
      expect(await ask(client)).toBe(answer);
    });

    // 3.14.2.1: every code that the broker uses is one that DISCONNECT has, and one that a server may send.
    // biome-ignore format: one row a line
    it.each([
      { why: 'malformed packet', options: {}, send: '36 06 0001 61 0001 00', code: '81' },
      { why: 'protocol error', options: {}, send: '00 00', code: '82' },
      { why: 'Topic Alias over the maximum', options: {}, send: '30 07 0001 61 03 23 000b', code: '94' },
      { why: 'packet that is too large', options: {}, send: '30 ff ff ff 7f', code: '95' },
      { why: 'RETAIN without retain_available', options: { settings: { retainAvailable: false } }, send: '31 04 0001 61 00', code: '9a' },
      { why: 'QoS over max_qos', options: { listener: { maxQos: 0 } }, send: '32 06 0001 61 0001 00', code: '9b' },
    ] as const)(
      'DISCONNECT $code for a $why, with the code alone [MQTT-3.14.2-1] [MQTT-3.14.2-2] [MQTT-3.14.2-3] [MQTT-3.14.2-4] [MQTT-4.13.1-1] [MQTT-4.13.2-1], and nothing behind it [MQTT-3.14.4-1] [MQTT-3.14.4-2]',
      async ({ options, send, code }) => {
        const broker = new TestBroker(options);
        const fields = { protocolVersion: 5, properties } as const;
        const client = await broker.connect({
          ...fields,
          properties: [...properties, { name: 'sessionExpiryInterval', value: 100 }],
        });
        await client.send(subscribePacket({ '#': 0 }));
        const publisher = await broker.connect({ clientId: 'publisher' });
        publisher.write(publishPacket('late', '1'));
        expect(await client.exchange(send, PINGREQ)).toMatch(new RegExp(`e0 01 ${code} closed$`));
        await publisher.send(publishPacket('later', '1'));
        expect(await client.exchange()).toBe('');
      },
    );

    it('DISCONNECT 8e when it is taken over [MQTT-3.14.2-1] [MQTT-3.14.2-2]', async () => {
      const broker = new TestBroker();
      const fields = { protocolVersion: 5, properties } as const;
      const client = await broker.connect(fields);
      await broker.connect(fields);
      expect(await client.exchange()).toBe('e0 01 8e closed');
    });

    it('no DISCONNECT in answer to its own [MQTT-3.14.4-2]', async () => {
      const client = await new TestBroker().connect({ protocolVersion: 5, properties });
      expect(await client.exchange(disconnectPacket(0x04), PINGREQ)).toBe('closed');
    });
  });
}

// biome-ignore format: one row a line
const ANSWERS_311: readonly Row[] = [
  { what: 'PUBACK [MQTT311-2.3.1-6] [MQTT311-4.3.2-2]', ask: (client) => client.exchange('32 05 0001 62 1234'), answer: '40 02 12 34' },
  { what: 'PUBACK for what it may not publish [MQTT311-3.3.5-2]', ask: (client) => client.exchange(publishPacket('$SYS/x', '1', { qos: 1, packetId: 0x1234 })), answer: '40 02 12 34' },
  { what: 'PUBREC [MQTT311-2.3.1-6] [MQTT311-4.3.3-2]', ask: (client) => client.exchange('34 05 0001 62 1234'), answer: '50 02 12 34' },
  { what: 'PUBREC for what it may not publish [MQTT311-3.3.5-2]', ask: (client) => client.exchange(publishPacket('$SYS/x', '1', { qos: 2, packetId: 0x1234 })), answer: '50 02 12 34' },
  { what: 'PUBREL [MQTT311-2.3.1-6] [MQTT311-4.3.3-1]', ask: async (client) => { await underWay(client); return client.exchange('50 02 0001'); }, answer: '62 02 00 01' },
  { what: 'PUBCOMP [MQTT311-4.3.3-2]', ask: async (client) => { await client.send('34 05 0001 62 1234'); return client.exchange('62 02 1234'); }, answer: '70 02 12 34' },
  { what: 'SUBACK [MQTT311-2.3.1-7] [MQTT311-3.8.4-2] [MQTT311-3.9.3-2]', ask: (client) => client.exchange(subscribePacket({ a: 0, b: 1, c: 2 }, 0x1234)), answer: '90 05 12 34 00 01 02' },
  { what: 'UNSUBACK, one, whatever was there [MQTT311-2.3.1-7] [MQTT311-3.10.4-4] [MQTT311-3.10.4-5] [MQTT311-3.10.4-6]', ask: (client) => client.exchange(unsubscribePacket(['a', 'x'], 0x1234)), answer: 'b0 02 12 34' },
  { what: 'PINGRESP [MQTT311-3.12.4-1]', ask: (client) => client.exchange(PINGREQ), answer: 'd0 00' },
  { what: 'a bare close for a protocol violation [MQTT311-4.8.0-1]', ask: (client) => client.exchange('00 00', PINGREQ), answer: 'closed' },
];

describe('a client of 3.1.1 gets', () => {
  it.each(ANSWERS_311)('$what', async ({ ask, answer }) => {
    expect(await ask(await new TestBroker().connect({ protocolVersion: 4 }))).toBe(answer);
  });
});
