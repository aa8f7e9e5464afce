import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyPacket, packetOf } from '../../test/packet-arbitraries.js';
import { decodeFrame } from './decode.js';
import { encodePacket } from './encode.js';
import { Framer } from './framer.js';
import { LARGEST_COPIED_PAYLOAD, OutputBuffer } from './output-buffer.js';
import type { Acknowledgement, Publish } from './packet.js';
import { PacketType } from './packet-type.js';
import { publishFlags } from './packets/publish.js';
import { writeProperties } from './properties.js';
import { NO_PROPERTIES, type Property } from './property-table.js';
import type { PublishAdditions } from './publish-additions.js';
import { PublishFrame } from './publish-frame.js';
import type { ProtocolVersion, QoS } from './version.js';
import { Writer } from './writer.js';

const taken = (output: OutputBuffer, limit?: number): Buffer => Buffer.concat(output.take(limit));

function frameOf(packet: Publish, version: ProtocolVersion): PublishFrame {
  const framer = new Framer();
  // Something in front, so that offsets into the chunk are not offsets into the packet.
  framer.push(Buffer.concat([Buffer.from([0xd0, 0x00]), encodePacket(packet, version)]));
  framer.next();
  framer.next();
  const frame = decodeFrame(framer.source, framer.frameStart, framer.start, framer.end, version);
  if (!(frame instanceof PublishFrame)) throw new Error('not a PUBLISH');
  return frame;
}

describe('what is collected', () => {
  test('comes out in order, whatever its size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 }), (sizes) => {
        const output = new OutputBuffer();
        const pieces = sizes.map((size, index) => Buffer.alloc(size, index));
        for (const piece of pieces) output.bytes(piece);
        const expected = Buffer.concat(pieces);
        expect(output.size).toBe(expected.length);
        expect(taken(output).equals(expected)).toBe(true);
        expect(output.size).toBe(0);
        expect(output.take()).toEqual([]);
      }),
    );
  });

  test('is not overwritten by what is collected after it was taken', () => {
    const output = new OutputBuffer();
    output.bytes(Buffer.from('first'));
    const first = output.take();
    output.bytes(Buffer.from('other'));
    output.bytes(Buffer.alloc(100_000, 1));
    output.take();
    output.bytes(Buffer.from('third'));
    expect(Buffer.concat(first).toString()).toBe('first');
    expect(taken(output).toString()).toBe('third');
  });

  test('is not copied when it is large', () => {
    const output = new OutputBuffer();
    const large = Buffer.alloc(LARGEST_COPIED_PAYLOAD + 1, 7);
    output.bytes(Buffer.from('a'));
    output.bytes(large);
    const parts = output.take();
    expect(parts.map((part) => part.length)).toEqual([1, large.length]);
    expect(parts[1]!.buffer).toBe(large.buffer);
  });

  test('can be taken piece by piece under a limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 5000 }),
        (sizes, limit) => {
          const output = new OutputBuffer();
          const pieces = sizes.map((size, index) => Buffer.alloc(size, index));
          for (const piece of pieces) output.bytes(piece);
          const got: Buffer[] = [];
          while (output.size > 0) {
            const before = output.size;
            const parts = output.take(limit);
            const bytes = parts.reduce((sum, part) => sum + part.length, 0);
            expect(bytes <= limit || parts.length === 1).toBe(true);
            expect(bytes).toBeGreaterThan(0);
            expect(output.size).toBe(before - bytes);
            got.push(...parts.map((part) => Buffer.from(part)));
          }
          expect(Buffer.concat(got).equals(Buffer.concat(pieces))).toBe(true);
        },
      ),
    );
  });
});

describe.each([3, 4, 5] as const)('version %i', (version) => {
  test.each(['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'] as const)(
    '%s is written as the encoder writes it',
    (name) => {
      fc.assert(
        fc.property(packetOf(name, version), (packet) => {
          const { type, packetId, reasonCode } = packet as Acknowledgement;
          const output = new OutputBuffer();
          output.acknowledgement(type, packetId, reasonCode, version);
          const bare = encodePacket({ type, packetId, reasonCode, properties: NO_PROPERTIES }, version);
          expect(taken(output).toString('hex')).toBe(bare.toString('hex'));
        }),
        { numRuns: 50 },
      );
    },
  );

  test('a PUBLISH made of parts is written as the encoder writes it', () => {
    fc.assert(
      fc.property(packetOf('PUBLISH', version), (packet) => {
        const publish = packet as Publish;
        const topic = new Writer();
        topic.string(publish.topic);
        const properties = new Writer();
        if (version === 5) writeProperties(properties, publish.properties);
        const output = new OutputBuffer();
        output.publish(
          publishFlags(publish.qos, publish.retain, publish.dup),
          topic.buffer.subarray(0, topic.length),
          publish.packetId,
          properties.buffer.subarray(0, properties.length),
          publish.payload,
          0,
          publish.payload.length,
        );
        expect(taken(output).toString('hex')).toBe(encodePacket(publish, version).toString('hex'));
      }),
    );
  });

  test('packets of all kinds come out as one stream', () => {
    fc.assert(
      fc.property(fc.array(anyPacket(version), { maxLength: 10 }), (packets) => {
        const output = new OutputBuffer();
        const encoded = packets.map((packet) => encodePacket(packet, version));
        for (const bytes of encoded) output.bytes(bytes);
        expect(taken(output).equals(Buffer.concat(encoded))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a PUBLISH that goes on', () => {
  const versions = fc.constantFrom(3 as const, 4 as const, 5 as const);
  const ofConnection = new Set(['messageExpiryInterval', 'topicAlias', 'subscriptionIdentifier']);
  const received = versions.chain((version) =>
    packetOf('PUBLISH', version).map((packet) => {
      const publish = packet as Publish;
      // Who forwards has put the topic in the alias's place already.
      return { version, publish: publish.topic === '' ? { ...publish, topic: 'aliased' } : publish };
    }),
  );
  const onward = fc.record({
    version: versions,
    qos: fc.constantFrom(0 as QoS, 1 as QoS, 2 as QoS),
    retain: fc.boolean(),
    dup: fc.boolean(),
    packetId: fc.integer({ min: 1, max: 65_535 }),
  });
  const optional = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: undefined });
  const additions = fc.record({
    messageExpiryInterval: optional(0xffff_ffff),
    topicAlias: optional(0xffff),
    omitTopic: fc.boolean(),
    subscriptionIdentifier: optional(268_435_455),
  });

  function forwarded(
    source: { version: ProtocolVersion; publish: Publish },
    to: { version: ProtocolVersion; qos: QoS; retain: boolean; dup: boolean; packetId: number },
    extra: PublishAdditions | undefined,
  ): string {
    const output = new OutputBuffer();
    const frame = frameOf(source.publish, source.version);
    const packetId = to.qos === 0 ? 0 : to.packetId;
    output.forward(frame, to.version, to.qos, to.retain, to.dup && to.qos > 0, packetId, extra);
    return taken(output).toString('hex');
  }

  function expected(
    source: { publish: Publish },
    to: { version: ProtocolVersion; qos: QoS; retain: boolean; dup: boolean; packetId: number },
    properties: readonly Property[],
    topic = source.publish.topic,
  ): string {
    const packet: Publish = {
      type: PacketType.PUBLISH,
      topic,
      payload: source.publish.payload,
      qos: to.qos,
      retain: to.retain,
      dup: to.dup && to.qos > 0,
      packetId: to.qos === 0 ? 0 : to.packetId,
      properties,
    };
    return encodePacket(packet, to.version).toString('hex');
  }

  test('has its own properties in order and then those of the connection (broker §9.9)', () => {
    fc.assert(
      fc.property(received, onward, additions, (source, to, extra) => {
        // An empty topic needs an alias, and only MQTT 5 has either.
        const omitTopic = to.version === 5 && extra.omitTopic && extra.topicAlias !== undefined;
        const properties: Property[] = source.publish.properties.filter(
          ({ name }) => !ofConnection.has(name),
        );
        if (extra.messageExpiryInterval !== undefined) {
          properties.push({ name: 'messageExpiryInterval', value: extra.messageExpiryInterval });
        }
        if (extra.topicAlias !== undefined) properties.push({ name: 'topicAlias', value: extra.topicAlias });
        if (extra.subscriptionIdentifier !== undefined) {
          properties.push({ name: 'subscriptionIdentifier', value: extra.subscriptionIdentifier });
        }
        expect(forwarded(source, to, { ...extra, omitTopic })).toBe(
          expected(source, to, properties, omitTopic ? '' : source.publish.topic),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('passes with other flags and Packet Identifier where nothing is put in', () => {
    fc.assert(
      fc.property(received, onward, (source, to) => {
        const properties = source.publish.properties.filter(({ name }) => !ofConnection.has(name));
        const plain = { ...source, publish: { ...source.publish, properties } };
        expect(forwarded(plain, to, undefined)).toBe(expected(plain, to, properties));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([0, 1, 1023, 1024, 1025, 70_000])(
    'carries a payload of %d bytes, large ones by reference',
    (length) => {
      const publish: Publish = {
        type: PacketType.PUBLISH,
        topic: 'a/b',
        payload: Buffer.alloc(length, 0x61),
        qos: 1,
        retain: false,
        dup: false,
        packetId: 1,
        properties: NO_PROPERTIES,
      };
      const frame = frameOf(publish, 4);
      const output = new OutputBuffer();
      output.forward(frame, 4, 1, false, false, 2, undefined);
      output.forward(frame, 5, 0, true, false, 0, undefined);
      const parts = output.take();
      expect(parts.some((part) => part.buffer === frame.source.buffer)).toBe(length > LARGEST_COPIED_PAYLOAD);
      const first = encodePacket({ ...publish, packetId: 2 }, 4);
      const second = encodePacket({ ...publish, qos: 0, retain: true, packetId: 0 }, 5);
      expect(Buffer.concat(parts).equals(Buffer.concat([first, second]))).toBe(true);
    },
  );
});
