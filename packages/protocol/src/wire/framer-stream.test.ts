import { afterEach, describe, expect, test, vi } from 'vitest';
import { cuts, decodeChunks, singleBytes, splitAt } from '../../test/codec.js';
import { encodePacket } from './encode.js';
import { Framer } from './framer.js';
import type { Publish } from './packet.js';
import { PacketType } from './packet-type.js';

const publish = (size: number): Buffer =>
  encodePacket(
    {
      type: PacketType.PUBLISH,
      topic: 't',
      payload: Buffer.alloc(size, 0x61),
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties: [],
    },
    4,
  );

const sizes = [0, 1, 124, 125, 300, 0, 70];
const stream = Buffer.concat(sizes.map(publish));
const lengths = (chunks: readonly Buffer[]): number[] =>
  decodeChunks(chunks, 4).map((packet) => (packet as Publish).payload.length);

describe('a stream of packets comes out the same', () => {
  test('cut in two anywhere', () => {
    const different = cuts(stream.length).filter(
      (at) => String(lengths(splitAt(stream, at))) !== String(sizes),
    );
    expect(different).toEqual([]);
  });

  test.each([1, 2, 3, 5, 63, 64, 65, 127])('in chunks of %i bytes', (size) => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) chunks.push(Buffer.from(stream.subarray(at, at + size)));
    expect(lengths(chunks)).toEqual(sizes);
  });
});

describe('a packet of 200 KB that comes byte by byte', () => {
  afterEach(() => vi.restoreAllMocks());

  test('is copied a bounded number of times and never held in more than twice its bytes', () => {
    const packet = publish(200_000);
    const bytes = singleBytes(packet);
    const allocated: number[] = [];
    let came = 0;
    const real = Buffer.allocUnsafeSlow;
    vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
      expect(size).toBeLessThanOrEqual(Math.max(64, 2 * came));
      allocated.push(size);
      return real(size);
    });
    const framer = new Framer();
    let held = true;
    let whole = 0;
    for (const byte of bytes) {
      came++;
      framer.push(byte);
      if (framer.next()) whole++;
      else held &&= framer.heldBytes === came && framer.pendingBytes === came;
    }
    expect([held, whole, framer.heldBytes]).toEqual([true, 1, 0]);
    expect(framer.source.length).toBe(packet.length);
    // Linear: all copies together are a small multiple of the packet, however many chunks there were.
    expect(allocated.reduce((sum, size) => sum + size, 0)).toBeLessThan(3 * packet.length);
    expect(allocated.length).toBeLessThan(20);
  });
});

describe('what was refused stays refused', () => {
  test.each([
    ['byte by byte', [[0x30], [0xff], [0x7f]]],
    ['at once', [[0x30, 0xff, 0x7f]]],
  ])('%s', (_how, chunks) => {
    const framer = new Framer(100);
    const run = () => {
      while (framer.next());
    };
    for (const chunk of chunks.slice(0, -1)) {
      framer.push(Buffer.from(chunk));
      run();
    }
    framer.push(Buffer.from(chunks.at(-1)!));
    expect(run).toThrow(expect.objectContaining({ reasonCode: 0x95 }));
    framer.push(Buffer.alloc(50));
    expect(run).toThrow(expect.objectContaining({ reasonCode: 0x95 }));
    expect(framer.heldBytes).toBeLessThan(10);
  });
});
