import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors.js';
import { decodeFrame } from './decode.js';
import { encodePacket } from './encode.js';
import { Framer, MAXIMUM_REMAINING_LENGTH } from './framer.js';
import { OutputBuffer } from './output-buffer.js';
import type { Packet, Publish } from './packet.js';
import { PacketStream, Verdict } from './packet-stream.js';
import { PacketType } from './packet-type.js';
import { NO_PROPERTIES, type Properties } from './property-table.js';
import type { PublishFrame } from './publish-frame.js';
import type { ProtocolVersion, QoS } from './version.js';

const VERSIONS = [3, 4, 5] as const;
const LEVELS = [0, 1, 2] as const;
/** Around what is copied in a loop, copied at once, and taken by reference. */
const SIZES = [0, 1, 47, 48, 49, 1023, 1024, 1025, 65_535, 65_536, 65_537];

function publish(qos: QoS, payload: Uint8Array, properties: Properties = NO_PROPERTIES): Publish {
  const packetId = qos === 0 ? 0 : 7;
  return {
    type: PacketType.PUBLISH,
    topic: 'a/b',
    payload,
    qos,
    retain: true,
    dup: false,
    packetId,
    properties,
  };
}

function received(packet: Publish, version: ProtocolVersion): PublishFrame {
  const framer = new Framer();
  framer.push(encodePacket(packet, version));
  framer.next();
  const { source, frameStart, start, end } = framer;
  return decodeFrame(source, frameStart, start, end, version) as PublishFrame;
}

function decoded(parts: readonly Uint8Array[], version: ProtocolVersion): Packet[] {
  const packets: Packet[] = [];
  const stream = new PacketStream({
    packet(packet) {
      packets.push(packet);
      return Verdict.CONTINUE;
    },
  });
  stream.version = version;
  for (const part of parts) stream.receive(Buffer.from(part));
  expect(stream.pendingBytes).toBe(0);
  return packets;
}

/** What the tests compare of a PUBLISH. */
const content = ({ topic, payload, qos, retain, dup, packetId, properties }: Publish) => ({
  topic,
  payload: Buffer.from(payload).toString('latin1'),
  qos,
  retain,
  dup,
  packetId,
  properties,
});

const additions = {
  messageExpiryInterval: 9,
  topicAlias: 3,
  omitTopic: false,
  subscriptionIdentifier: 300,
};
const added: Properties = [
  { name: 'messageExpiryInterval', value: 9 },
  { name: 'topicAlias', value: 3 },
  { name: 'subscriptionIdentifier', value: 300 },
];

describe.each(VERSIONS)('from version %i', (from) => {
  test.each(VERSIONS)('to version %i every QoS, flag, addition and size decodes to what went in', (to) => {
    const output = new OutputBuffer();
    const expected: ReturnType<typeof content>[] = [];
    const got: Uint8Array[] = [];
    for (const qosIn of LEVELS) {
      for (const size of SIZES) {
        const own: Properties = from === 5 ? [{ name: 'userProperty', value: ['a', 'b'] }] : [];
        const packet = publish(qosIn, Buffer.alloc(size, size + qosIn), own);
        const frame = received(packet, from);
        for (const qos of LEVELS) {
          for (const retain of [false, true]) {
            for (const extra of to === 5 ? [undefined, additions] : [undefined]) {
              const packetId = qos === 0 ? 0 : 0x1234;
              output.forward(frame, to, qos, retain, qos > 0, packetId, extra);
              const properties = to === 5 ? [...own, ...(extra === undefined ? [] : added)] : [];
              expected.push({ ...content(packet), qos, retain, dup: qos > 0, packetId, properties });
            }
          }
        }
      }
      got.push(...output.take(50_000));
    }
    while (output.size > 0) got.push(...output.take(50_000));
    expect(decoded(got, to).map((packet) => content(packet as Publish))).toEqual(expected);
  });
});

describe('properties of the message, when nothing is put in', () => {
  const own: Properties = [
    { name: 'topicAlias', value: 5 },
    { name: 'contentType', value: 'text' },
    { name: 'messageExpiryInterval', value: 60 },
    { name: 'subscriptionIdentifier', value: 8 },
    { name: 'userProperty', value: ['a', 'b'] },
  ];

  test.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 2],
  ] as const)('QoS %i to %i: all but those of the other connection [MQTT-3.3.2-7]', (qosIn, qosOut) => {
    const output = new OutputBuffer();
    const frame = received(publish(qosIn, Buffer.from('payload'), own), 5);
    output.forward(frame, 5, qosOut, false, false, qosOut === 0 ? 0 : 9, undefined);
    const [packet] = decoded(output.take(), 5);
    const names = (packet as Publish).properties.map((entry) => entry.name);
    // [MQTT-3.3.2-6]: the expiry goes on.
    expect(names.sort()).toEqual(['contentType', 'messageExpiryInterval', 'userProperty']);
  });

  test('are dropped for an older version, and so is what a connection would put in', () => {
    const output = new OutputBuffer();
    const frame = received(publish(1, Buffer.from('payload'), own), 5);
    output.forward(frame, 4, 0, false, false, 0, { ...additions, omitTopic: true });
    const [packet] = decoded(output.take(), 4);
    expect(content(packet as Publish)).toMatchObject({ topic: 'a/b', payload: 'payload', properties: [] });
  });
});

describe('bytes that are no Buffer', () => {
  test.each(SIZES)('%i of them go out like others', (size) => {
    const bytes = new Uint8Array(size + 2).fill(0x61);
    const output = new OutputBuffer();
    output.publish(0, new Uint8Array([0, 1, 0x74]), 0, new Uint8Array(0), bytes, 1, size + 1);
    output.bytes(new Uint8Array(encodePacket(publish(1, bytes), 4)));
    const packets = decoded(output.take(), 4) as Publish[];
    expect(packets.map((packet) => packet.payload.length)).toEqual([size, size + 2]);
    expect(packets.every((packet) => packet.payload.every((byte) => byte === 0x61))).toBe(true);
  });
});

describe('memory', () => {
  test('of a slab does not grow with payloads that go by reference', () => {
    const output = new OutputBuffer();
    const large = Buffer.alloc(50_000);
    for (let turn = 0; turn < 5; turn++) {
      output.publish(0, Buffer.from([0, 1, 0x74]), 0, NOTHING, large, 0, large.length);
      const [head] = output.take();
      expect(head!.buffer.byteLength).toBeLessThanOrEqual(512);
    }
  });

  const NOTHING = Buffer.alloc(0);

  test('of a packet that has no encoding is not touched', () => {
    const output = new OutputBuffer();
    output.acknowledgement(PacketType.PUBACK, 1, 0, 4);
    const tooLong = () =>
      output.publish(0, Buffer.from([0, 1, 0x74]), 0, NOTHING, NOTHING, 0, MAXIMUM_REMAINING_LENGTH);
    expect(tooLong).toThrow(UsageError);
    expect(tooLong).toThrow(expect.objectContaining({ code: 'packet-too-long' }));
    expect(Buffer.concat(output.take()).toString('hex')).toBe('40020001');
  });
});
