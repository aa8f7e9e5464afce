import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeChunks } from '../../test/codec.js';
import { anyPacket, packetNames, packetOf } from '../../test/packet-arbitraries.js';
import { plainPacket } from '../../test/packet-vectors.js';
import { encodePacket } from './encode.js';

describe.each([3, 4, 5] as const)('version %i', (version) => {
  test.each(packetNames(version))('any %s comes back as it went out', (name) => {
    fc.assert(
      fc.property(packetOf(name, version), (packet) => {
        const bytes = encodePacket(packet, version);
        const decoded = decodeChunks([bytes], version);
        expect(decoded.map(plainPacket)).toEqual([plainPacket(packet)]);
        expect(encodePacket(decoded[0]!, version).equals(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('any stream of packets comes back from any chunks', () => {
    const streams = fc.tuple(
      fc.array(anyPacket(version), { minLength: 1, maxLength: 12 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 20_000 })), {
        minLength: 1,
        maxLength: 20,
      }),
    );
    fc.assert(
      fc.property(streams, ([packets, sizes]) => {
        const stream = Buffer.concat(packets.map((packet) => encodePacket(packet, version)));
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          chunks.push(Buffer.from(stream.subarray(at, at + size)));
          at += size;
        }
        expect(decodeChunks(chunks, version).map(plainPacket)).toEqual(packets.map(plainPacket));
      }),
      { numRuns: 200 },
    );
  });
});
