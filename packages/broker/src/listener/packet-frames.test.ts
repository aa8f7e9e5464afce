import { expect, it } from 'vitest';
import { PacketFrames } from './packet-frames.js';

/** A PUBLISH of so many bytes in all. */
function packet(size: number): Buffer {
  for (let lengthSize = 1; lengthSize <= 4; lengthSize++) {
    const remaining = size - 1 - lengthSize;
    if (
      remaining < 0 ||
      remaining >= 128 ** lengthSize ||
      (lengthSize > 1 && remaining < 128 ** (lengthSize - 1))
    )
      continue;
    const bytes = Buffer.alloc(size, size % 251);
    bytes[0] = 0x30;
    let left = remaining;
    for (let at = 1; at <= lengthSize; at++) {
      bytes[at] = (left % 128) | (at < lengthSize ? 128 : 0);
      left = Math.floor(left / 128);
    }
    return bytes;
  }
  throw new Error(`there is no packet of ${size} bytes`);
}

/** Takes frames apart again, as RFC 6455, 5.2 has them. */
function payloadsOf(bytes: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x82);
    const short = bytes[at + 1] ?? 0;
    at += 2;
    let length = short;
    if (short === 126) {
      length = bytes.readUInt16BE(at);
      expect(length).toBeGreaterThan(125);
      at += 2;
    } else if (short === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      expect(length).toBeGreaterThan(65_535);
      at += 8;
    }
    payloads.push(bytes.subarray(at, at + length));
    at += length;
  }
  return payloads;
}

const SIZES = [2, 2, 127, 125, 126, 4, 1023, 1024, 1025, 65_535, 65_536, 2, 70_000, 100, 2_100_000, 2];
const SMALL = SIZES.slice(0, 9);

// biome-ignore format: one row a line
it.each([
  ['in one piece', SIZES, [3_000_000]],
  ['packet by packet', SIZES, SIZES],
  ['in pieces of 3 bytes', SMALL, [3]],
  ['in pieces of 7919 bytes', SIZES, [7919]],
  ['in pieces of 65536 bytes', SIZES, [65_536]],
])('puts each packet into one frame: %s', (_what, sizes, steps) => {
  const frames = new PacketFrames();
  const stream = Buffer.concat(sizes.map(packet));
  const payloads: Buffer[] = [];
  for (let at = 0, step = 0; at < stream.length; step++) {
    const size = steps[step % steps.length] as number;
    // Every write is whole frames, so that Pong and Close may stand between any two.
    payloads.push(...payloadsOf(Buffer.concat(frames.frame([stream.subarray(at, at + size)]))));
    at += size;
  }
  expect(payloads.map((payload) => payload.length)).toEqual(sizes);
  expect(Buffer.concat(payloads).equals(stream)).toBe(true);
});

it('does not copy large payloads', () => {
  const frames = new PacketFrames();
  const payload = Buffer.alloc(100_000);
  const head = Buffer.from('30a38d06000161', 'hex');
  expect(frames.frame([head])).toEqual([]);
  const buffers = frames.frame([payload]);
  expect(buffers.at(-1)?.buffer).toBe(payload.buffer);
  expect(buffers.at(-1)?.byteOffset).toBe(payload.byteOffset);
});
