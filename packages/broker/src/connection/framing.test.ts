import { PacketType, type ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { connectPacket, PINGREQ, publishPacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const PONG = 'd0 00';

/** Reason Code of the DISCONNECT that MQTT 5 sends before it closes; undefined: a bare close. */
type Code = number | undefined;

interface Row {
  readonly what: string;
  readonly hex: string;
  /** Versions the row is about; default all. */
  readonly versions?: readonly ProtocolVersion[];
  readonly code: Code;
}

// Bytes that end an accepted connection (broker §9.1).
// biome-ignore format: one row a line
const ENDS: readonly Row[] = [
  { what: 'Remaining Length of five bytes [MQTT-1.5.5-1]', hex: '30 ff ff ff ff 01', code: undefined },
  { what: 'fourth byte of Remaining Length has a continuation bit [MQTT-1.5.5-1]', hex: '30 80 80 80 80', code: undefined },
  { what: 'packet type 0', hex: '00 00', code: 0x82 },
  { what: 'flags on PUBACK [MQTT-2.1.3-1] [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]', hex: '41 02 0001', code: 0x81 },
  { what: 'flags on PUBREC [MQTT-2.1.3-1] [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]', hex: '52 02 0001', code: 0x81 },
  { what: 'flags on PUBCOMP [MQTT-2.1.3-1] [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]', hex: '74 02 0001', code: 0x81 },
  { what: 'flags on PINGREQ [MQTT-2.1.3-1] [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]', hex: 'c1 00', code: 0x81 },
  { what: 'flags on DISCONNECT [MQTT-3.14.1-1] [MQTT311-3.14.1-1]', hex: 'e2 00', code: 0x81 },
  { what: 'flags 0 on PUBREL [MQTT-3.6.1-1] [MQTT311-3.6.1-1]', hex: '60 02 0001', versions: [4, 5], code: 0x81 },
  { what: 'flags 0 on SUBSCRIBE [MQTT311-3.8.1-1]', hex: '80 06 0001 0001 61 00', versions: [3, 4], code: 0x81 },
  { what: 'flags 0 on SUBSCRIBE [MQTT-3.8.1-1]', hex: '80 07 0001 00 0001 61 00', versions: [5], code: 0x81 },
  { what: 'flags 0 on UNSUBSCRIBE [MQTT311-3.10.1-1]', hex: 'a0 05 0001 0001 61', versions: [3, 4], code: 0x81 },
  { what: 'flags 0 on UNSUBSCRIBE [MQTT-3.10.1-1]', hex: 'a0 06 0001 00 0001 61', versions: [5], code: 0x81 },
  { what: 'CONNACK from a client', hex: '20 02 0000', versions: [3, 4], code: 0x82 },
  { what: 'CONNACK from a client', hex: '20 03 000000', versions: [5], code: 0x82 },
  { what: 'CONNACK without a body from a client', hex: '20 00', code: 0x82 },
  { what: 'SUBACK from a client', hex: '90 03 0001 00', versions: [3, 4], code: 0x82 },
  { what: 'SUBACK from a client', hex: '90 04 0001 00 00', versions: [5], code: 0x82 },
  { what: 'SUBACK with an unknown Reason Code from a client', hex: '90 04 0001 00 77', code: 0x82 },
  { what: 'UNSUBACK from a client', hex: 'b0 02 0001', versions: [3, 4], code: 0x82 },
  { what: 'UNSUBACK from a client', hex: 'b0 04 0001 00 00', versions: [5], code: 0x82 },
  { what: 'PINGRESP from a client', hex: 'd0 00', code: 0x82 },
  { what: 'PINGRESP with a body from a client', hex: 'd0 01 00', code: 0x82 },
  { what: 'AUTH [MQTT-4.12.0-6] [MQTT-4.12.0-7]', hex: 'f0 00', code: 0x82 },
  { what: 'AUTH that goes on [MQTT-4.12.0-7]', hex: 'f0 02 18 00', code: 0x82 },
  { what: 'PINGREQ with a body (broker T-54)', hex: 'c0 01 00', code: undefined },
  { what: 'PUBACK of one byte', hex: '40 01 00', code: 0x81 },
  { what: 'PUBREC of no bytes', hex: '50 00', code: 0x81 },
  { what: 'PUBREL of one byte', hex: '62 01 00', code: 0x81 },
  { what: 'PUBCOMP of one byte', hex: '70 01 00', code: 0x81 },
  { what: 'PUBACK with a Reason Code', hex: '40 03 0001 00', versions: [3, 4], code: undefined },
  { what: 'DISCONNECT with a body', hex: 'e0 01 00', versions: [3, 4], code: undefined },
  { what: 'PUBLISH with Packet Identifier 0 [MQTT311-2.3.1-1]', hex: '32 05 0001 61 0000', versions: [3, 4], code: 0x82 },
  { what: 'PUBLISH with Packet Identifier 0 [MQTT-2.2.1-3]', hex: '32 06 0001 61 0000 00', versions: [5], code: 0x82 },
  { what: 'PUBACK with Packet Identifier 0', hex: '40 02 0000', code: 0x82 },
  { what: 'PUBREC with Packet Identifier 0', hex: '50 02 0000', code: 0x82 },
  { what: 'PUBREL with Packet Identifier 0', hex: '62 02 0000', code: 0x82 },
  { what: 'PUBCOMP with Packet Identifier 0', hex: '70 02 0000', code: 0x82 },
  { what: 'SUBSCRIBE with Packet Identifier 0 [MQTT311-2.3.1-1]', hex: '82 06 0000 0001 61 00', versions: [3, 4], code: 0x81 },
  { what: 'SUBSCRIBE with Packet Identifier 0 [MQTT-2.2.1-3]', hex: '82 07 0000 00 0001 61 00', versions: [5], code: 0x81 },
  { what: 'UNSUBSCRIBE with Packet Identifier 0 [MQTT311-2.3.1-1]', hex: 'a2 05 0000 0001 61', versions: [3, 4], code: 0x81 },
  { what: 'UNSUBSCRIBE with Packet Identifier 0 [MQTT-2.2.1-3]', hex: 'a2 06 0000 00 0001 61', versions: [5], code: 0x81 },
  { what: 'second CONNECT [MQTT-3.1.0-2] [MQTT311-3.1.0-2]', hex: '10 0d 0004 4d515454 04 02 0000 0001 61', code: undefined },
  { what: 'second CONNECT of MQTT 5 [MQTT-3.1.0-2] [MQTT311-3.1.0-2]', hex: '10 0e 0004 4d515454 05 02 0000 00 0001 61', code: undefined },
  { what: 'second CONNECT that does not decode [MQTT-3.1.0-2] [MQTT311-3.1.0-2]', hex: '10 00', code: undefined },
  { what: 'second CONNECT with flags [MQTT-3.1.0-2] [MQTT311-3.1.0-2]', hex: '11 00', code: undefined },
  { what: 'header of a CONNECT over 100,000 bytes', hex: '10 a1 8d 06', code: undefined },
  { what: 'header of an AUTH over 100,000 bytes', hex: 'f0 a1 8d 06', code: undefined },
  { what: 'header of a SUBSCRIBE over 100,000 bytes', hex: '82 a1 8d 06', versions: [5], code: undefined },
  { what: 'header of an UNSUBSCRIBE over 100,000 bytes', hex: 'a2 a1 8d 06', versions: [5], code: undefined },
  { what: 'header of a PUBACK over 10,000 bytes (broker T-54)', hex: '40 91 4e', versions: [5], code: undefined },
  { what: 'header of a PUBREC over 10,000 bytes', hex: '50 91 4e', versions: [5], code: undefined },
  { what: 'header of a PUBREL over 10,000 bytes', hex: '62 91 4e', versions: [5], code: undefined },
  { what: 'header of a PUBCOMP over 10,000 bytes', hex: '70 91 4e', versions: [5], code: undefined },
  { what: 'header of a DISCONNECT over 10,000 bytes', hex: 'e0 91 4e', versions: [5], code: undefined },
  { what: 'header of a PUBLISH over max_packet_size', hex: '30 fd 88 7a', code: 0x95 },
  // MQTT 5 property blocks, the first problem wins.
  { what: 'Property Length not in its shortest form', hex: '30 05 0001 61 80 00', versions: [5], code: 0x81 },
  { what: 'Property Length that is cut off', hex: '30 04 0001 61 80', versions: [5], code: 0x81 },
  { what: 'Property Length beyond the packet', hex: '30 04 0001 61 05', versions: [5], code: 0x81 },
  { what: 'property that does not exist', hex: '30 06 0001 61 02 7f 00', versions: [5], code: 0x81 },
  { what: 'property value that is cut off', hex: '30 07 0001 61 03 02 0000', versions: [5], code: 0x81 },
  { what: 'property that may not stand there', hex: '30 07 0001 61 03 13 000a', versions: [5], code: 0x82 },
  { what: 'property that stands twice', hex: '30 08 0001 61 04 01 00 01 00', versions: [5], code: 0x82 },
  { what: 'boolean of 2', hex: '30 06 0001 61 02 01 02', versions: [5], code: 0x82 },
  { what: 'Topic Alias 0 [MQTT-3.3.2-8]', hex: '30 07 0001 61 03 23 0000', versions: [5], code: 0x82 },
  { what: 'empty Response Topic', hex: '30 07 0001 61 03 08 0000', versions: [5], code: 0x82 },
  { what: 'Response Topic with a wildcard [MQTT-3.3.2-14]', hex: '30 08 0001 61 04 08 0001 23', versions: [5], code: 0x82 },
  { what: 'Subscription Identifier in PUBLISH [MQTT-3.3.4-6]', hex: '30 06 0001 61 02 0b 01', versions: [5], code: 0x82 },
  { what: 'invalid UTF-8 in Content Type [MQTT-3.3.2-19] (broker T-54)', hex: '30 08 0001 61 04 03 0001 ff', versions: [5], code: undefined },
  { what: 'Response Topic that is not UTF-8 [MQTT-3.3.2-13]', hex: '30 08 0001 61 04 08 0001 ff', versions: [5], code: undefined },
  { what: 'wrong property in SUBSCRIBE', hex: '82 09 0001 02 01 00 0001 61 00', versions: [5], code: 0x81 },
  { what: 'Subscription Identifier 0 (3.8.2.1.2)', hex: '82 09 0001 02 0b 00 0001 61 00', versions: [5], code: 0x81 },
  { what: 'wrong property in UNSUBSCRIBE', hex: 'a2 09 0001 03 0b 01 00 0001 61', versions: [5], code: 0x81 },
  { what: 'PUBACK with a Reason Code that it does not have', hex: '40 03 0001 01', versions: [5], code: 0x82 },
  { what: 'PUBREL with a Reason Code that it does not have', hex: '62 03 0001 80', versions: [5], code: 0x82 },
];

describe.each([3, 4, 5] as const)('an accepted client of version %i', (version) => {
  const rows = ENDS.filter((row) => (row.versions ?? [3, 4, 5]).includes(version));
  for (const { what, hex, code } of rows)
    it(`is closed for: ${what} (${hex})`, async () => {
      const broker = new TestBroker();
      const client = await broker.connect({ protocolVersion: version });
      const bystander = await broker.connect({ clientId: 'bystander' });
      // What is right before it is still answered, what follows it is not.
      const answer = await client.exchange('c0 00', hex, PINGREQ);
      const disconnect = version === 5 && code !== undefined ? [`e0 01 ${code.toString(16)}`] : [];
      expect(answer).toBe([PONG, ...disconnect, 'closed'].join(' '));
      expect(await bystander.exchange(PINGREQ)).toBe(PONG);
    });
});

describe('bytes that are tolerated', () => {
  it.each([
    { what: 'flags on PUBREL in 3.1', version: 3, hex: '60 02 0001', answer: '70 02 00 01' },
    { what: 'no filter in 3.1', version: 3, hex: '82 02 0001', answer: '90 02 00 01' },
    { what: 'no filter to unsubscribe from in 3.1', version: 3, hex: 'a2 02 0001', answer: 'b0 02 00 01' },
    { what: 'PUBREL with a Reason Code', version: 5, hex: '62 03 0001 92', answer: '70 02 00 01' },
    { what: 'PUBREL with no properties', version: 5, hex: '62 04 0001 00 00', answer: '70 02 00 01' },
    {
      what: 'a byte order mark in a topic [MQTT-1.5.4-3]',
      version: 5,
      hex: '32 08 0003 efbbbf 0001 00',
      answer: '40 03 00 01 10',
    },
  ] as const)('$what', async ({ version, hex, answer }) => {
    const client = await new TestBroker().connect({ protocolVersion: version });
    expect(await client.exchange(hex)).toBe(answer);
  });
});

describe('max_packet_size counts the whole packet [MQTT-3.2.2-15] (broker T-22)', () => {
  // 2 bytes of Fixed Header, 3 of topic, the rest payload.
  const publish = (size: number) => publishPacket('a', 'x'.repeat(size - 5));

  it.each([4, 5] as const)('version %i', async (protocolVersion) => {
    const extra = protocolVersion === 5 ? 1 : 0;
    const broker = new TestBroker({ settings: { maxPacketSize: 60 } });
    const client = await broker.connect({ protocolVersion });
    expect(await client.exchange(publish(60 - extra), PINGREQ)).toBe(PONG);
    const answer = await client.exchange(publish(61 - extra), PINGREQ);
    expect(answer).toBe(protocolVersion === 5 ? 'e0 01 95 closed' : 'closed');
  });

  it('is checked from the header, before any of the body', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    expect(await client.exchange('30 ff ff ff 7f')).toBe('e0 01 95 closed');
  });
});

describe('before CONNECT', () => {
  it.each([
    { what: 'PUBLISH', hex: '30 03 0001 61' },
    { what: 'the header of a PUBLISH', hex: '30 80 01' },
    { what: 'PINGREQ', hex: 'c0 00' },
    { what: 'DISCONNECT', hex: 'e0 00' },
    { what: 'AUTH', hex: 'f0 00' },
    { what: 'CONNACK', hex: '20 02 0000' },
    { what: 'packet type 0', hex: '00 00' },
    { what: 'an HTTP request', hex: Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex') },
    { what: 'the header of a CONNECT over 100,000 bytes', hex: '10 a1 8d 06' },
    { what: 'Remaining Length of five bytes', hex: '10 ff ff ff ff 01' },
    { what: 'a packet over max_packet_size', hex: '10 ff ff ff 7f' },
  ])('$what closes without an answer [MQTT-3.1.0-1] [MQTT311-3.1.0-1] [MQTT-3.14.0-1]', async ({ hex }) => {
    expect(await new TestBroker().open().exchange(hex)).toBe('closed');
  });

  it('a TLS handshake closes, and the log says what it was', async () => {
    const broker = new TestBroker();
    expect(await broker.open().exchange('16 03 01 00 05 01 00 00 01 03')).toBe('closed');
    expect(broker.logged).toContain(
      'notice Client from 127.0.0.1:1 appears to be using TLS to connect to a non-TLS listener.',
    );
  });

  it('closes after 30 s, however many bytes of a CONNECT have come', async () => {
    const broker = new TestBroker();
    const silent = broker.open();
    const trickling = broker.open();
    await broker.pass(29);
    trickling.write('10 a0 8d 06', Buffer.alloc(5000));
    expect(await silent.take()).toEqual([]);
    await broker.pass(2);
    expect(await silent.take()).toEqual(['closed']);
    expect(await trickling.take()).toEqual(['closed']);
  });
});

describe('packets in any chunks', () => {
  it('are the same byte by byte', async () => {
    const broker = new TestBroker();
    const client = broker.open();
    const bytes = Buffer.from('100d00044d5154540402000000016182060001000161003003000161c000', 'hex');
    for (const byte of bytes) client.write(Buffer.from([byte]));
    expect(await client.take()).toEqual(['CONNACK 0x00', 'SUBACK #1 0x00', 'PUBLISH a=', 'PINGRESP']);
  });

  it('behind CONNECT in the same chunk are handled in order', async () => {
    const client = new TestBroker().open(5);
    const connect = connectPacket({ protocolVersion: 5 });
    client.write(connect, '82 07 0001 00 0001 61 00', publishPacket('a', '1'), PINGREQ);
    const [connack, ...rest] = await client.take();
    expect(connack).toMatch(/^CONNACK 0x00/);
    expect(rest).toEqual(['SUBACK #1 0x00', 'PUBLISH a=1', 'PINGRESP']);
  });

  it('behind DISCONNECT are not handled [MQTT311-3.14.4-2]', async () => {
    const broker = new TestBroker();
    const other = await broker.connect({ clientId: 'other' });
    await other.send('82 06 0001 0001 61 00');
    const client = await broker.connect();
    expect(
      await client.send(
        { type: PacketType.DISCONNECT, reasonCode: 0, properties: [] },
        publishPacket('a', '1'),
      ),
    ).toEqual(['closed']);
    expect(await other.take()).toEqual([]);
  });
});
