import { describe, expect, test } from 'vitest';
import { packetVectors, plainPacket, vectorBytes } from '../../test/packet-vectors.js';
import { PeerError } from '../errors.js';
import { decodeFrame } from './decode.js';
import { encodePacket } from './encode.js';
import { Framer } from './framer.js';
import type { Packet } from './packet.js';
import type { ProtocolVersion } from './version.js';

/** How many inputs for each version; `TSMQTT_FUZZ_MUTATIONS` asks for more. */
const MUTATIONS = Math.ceil(Number(process.env.TSMQTT_FUZZ_MUTATIONS ?? 30_000) / 3);
const SEED = Number(process.env.TSMQTT_FUZZ_SEED ?? 20_260_101);
const LIMIT = 2048;

/** Mulberry32: small, and the same everywhere, so that a failure can be had again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
}

/** Bytes at which something begins, ends or means something else. */
const TELLING = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0b, 0x10, 0x1f, 0x20, 0x23, 0x26, 0x2b, 0x30, 0x3d, 0x7f, 0x80, 0x82,
  0xc0, 0xed, 0xff,
];

type Random = ReturnType<typeof randomFrom>;

function mutate(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1);
  switch (random(8)) {
    case 0: // one bit
      if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << random(8));
      return bytes;
    case 1: // one byte
      if (at < bytes.length) bytes[at] = TELLING[random(TELLING.length)]!;
      return bytes;
    case 2: // a byte more
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at)]);
    case 3: // some bytes less
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(4))]);
    case 4: // cut off
      return Buffer.from(bytes.subarray(0, at));
    case 5: // a piece twice
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(at + 1))]);
    case 6: // another packet's end
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length))]);
    default: // Remaining Length made right again, so that the body is looked at
      if (bytes.length >= 2 && bytes.length < 130) bytes[1] = bytes.length - 2;
      return bytes;
  }
}

/** What came out before the input ended or was refused. Throws whatever is not a peer's error. */
function feed(
  chunks: readonly Buffer[],
  version: ProtocolVersion,
): { packets: Packet[]; refused?: PeerError } {
  const framer = new Framer(LIMIT);
  const packets: Packet[] = [];
  let received = 0;
  try {
    for (const chunk of chunks) {
      received += chunk.length;
      framer.push(chunk);
      while (framer.next()) {
        packets.push(decodeFrame(framer.source, framer.frameStart, framer.start, framer.end, version));
        // A packet has two bytes at least: more packets than that is a loop that does not end.
        if (packets.length * 2 > received) throw new Error('more packets than bytes');
      }
      if (framer.heldBytes > LIMIT) throw new Error(`${framer.heldBytes} bytes are held`);
      if (framer.pendingBytes !== framer.heldBytes)
        throw new Error('bytes are kept beyond those of one packet');
    }
  } catch (refused) {
    if (refused instanceof PeerError) return { packets, refused };
    throw refused;
  }
  return { packets };
}

describe.each([3, 4, 5] as const)('mutated packets of version %i', (version) => {
  const pool = packetVectors
    .filter((row) => row.version === version)
    .map((row) => vectorBytes(row.hex))
    .filter((bytes) => bytes.length <= 1000);

  test(
    `${MUTATIONS} of them give packets or one of the two peer errors`,
    () => {
      const random = randomFrom(SEED + version);
      let refusals = 0;
      let accepted = 0;
      for (let turn = 0; turn < MUTATIONS; turn++) {
        let input: Buffer = Buffer.from(pool[random(pool.length)]!);
        for (let count = 1 + random(4); count > 0; count--) {
          input = mutate(input, pool[random(pool.length)]!, random);
        }
        const hex = input.toString('hex');
        // Something whole before and behind it, so that running over an end shows.
        const stream = Buffer.concat([Buffer.from([0xd0, 0x00]), input, Buffer.from([0xc0, 0x00])]);
        const cut = random(stream.length + 1);
        try {
          const whole = feed([stream], version);
          const parts = feed(
            [Buffer.from(stream.subarray(0, cut)), Buffer.from(stream.subarray(cut))],
            version,
          );
          if (parts.packets.length !== whole.packets.length || parts.refused?.code !== whole.refused?.code) {
            throw new Error(`cut at ${cut} it gives something else`);
          }
          if (whole.refused === undefined) accepted++;
          else refusals++;
          for (const packet of whole.packets) {
            const again = feed([encodePacket(packet, version)], version);
            expect(again.packets.map(plainPacket)).toEqual([plainPacket(packet)]);
          }
        } catch (error) {
          throw new Error(`input ${hex} (version ${version}, seed ${SEED}, turn ${turn})`, { cause: error });
        }
      }
      // Both happen often, or the mutations are too wild or too tame to find anything.
      expect(refusals).toBeGreaterThan(MUTATIONS / 5);
      expect(accepted).toBeGreaterThan(MUTATIONS / 50);
    },
    // More than ten times what it takes: only a hang runs into it.
    30_000 + MUTATIONS,
  );
});
