import { describe, expect, test } from 'vitest';
import { cuts, decodeChunks, singleBytes, splitAt } from '../../test/codec.js';
import { packetVectors, plainPacket, revivePacket, vectorBytes } from '../../test/packet-vectors.js';
import { encodePacket } from './encode.js';
import { PACKET_NAMES, PacketType } from './packet-type.js';
import { PROPERTIES } from './property-table.js';
import type { ProtocolVersion } from './version.js';

for (const vector of packetVectors) {
  describe(vector.name, () => {
    const bytes = vectorBytes(vector.hex);
    const packet = revivePacket(vector.packet);
    const expected = plainPacket(packet);

    test('decodes', () => {
      const packets = decodeChunks([bytes], vector.version);
      expect(packets.map(plainPacket)).toEqual([expected]);
    });

    test('decodes wherever the bytes are cut', () => {
      const text = JSON.stringify([expected]);
      for (const at of cuts(bytes.length)) {
        const packets = decodeChunks(splitAt(bytes, at), vector.version);
        if (JSON.stringify(packets.map(plainPacket)) !== text) {
          expect(packets.map(plainPacket), `cut at ${at}`).toEqual([expected]);
        }
      }
      if (bytes.length <= 70_000) {
        expect(decodeChunks(singleBytes(bytes), vector.version).map(plainPacket)).toEqual([expected]);
      }
    });

    if (vector.decodeOnly === undefined) {
      test('encodes', () => {
        const encoded = encodePacket(packet, vector.version);
        if (!encoded.equals(bytes)) expect(encoded.toString('hex')).toBe(bytes.toString('hex'));
        expect(encoded.length).toBe(bytes.length);
      });
    } else {
      test('encodes in another form that means the same', () => {
        const encoded = encodePacket(packet, vector.version);
        expect(encoded.equals(bytes)).toBe(false);
        expect(decodeChunks([encoded], vector.version).map(plainPacket)).toEqual([expected]);
      });
    }
  });
}

describe.each([3, 4, 5] as const)('all vectors of version %i in one stream', (version: ProtocolVersion) => {
  const vectors = packetVectors.filter(
    (vector) => vector.version === version && vectorBytes(vector.hex).length < 20_000,
  );
  const stream = Buffer.concat(vectors.map((vector) => vectorBytes(vector.hex)));
  const expected = vectors.map((vector) => plainPacket(revivePacket(vector.packet)));

  test.each([1, 2, 3, 7, 64, 1000, 65_536, Number.POSITIVE_INFINITY])('in chunks of %d bytes', (size) => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) {
      chunks.push(Buffer.from(stream.subarray(at, Math.min(at + size, stream.length))));
    }
    expect(decodeChunks(chunks, version).map(plainPacket)).toEqual(expected);
  });
});

describe('the vectors', () => {
  test.each([3, 4, 5])('have every packet type of version %i', (version) => {
    const types = new Set(
      packetVectors.filter((row) => row.version === version).map((row) => row.packet.type),
    );
    const expected = Object.keys(PacketType).filter((name) => version === 5 || name !== 'AUTH');
    expect([...types].sort()).toEqual(expected.sort());
  });

  test('have every property in every place where it may stand', () => {
    const seen = new Set<string>();
    for (const { packet } of packetVectors) {
      const note = (place: string, properties: unknown): void => {
        for (const [name] of (properties ?? []) as [string][]) seen.add(`${name} in ${place}`);
      };
      note(packet.type as string, packet.properties);
      note('WILL', (packet.will as { properties?: unknown } | undefined)?.properties);
    }
    const expected = PROPERTIES.flatMap((row) => row.places.map((place) => `${row.name} in ${place}`));
    expect([...seen].sort()).toEqual(expected.sort());
  });

  test('name packets as the specification does', () => {
    expect(PACKET_NAMES[PacketType.AUTH]).toBe('AUTH');
    expect(packetVectors.every((row) => (row.packet.type as string) in PacketType)).toBe(true);
  });
});
