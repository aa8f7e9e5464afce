import { decodeFrame } from '../src/wire/decode.js';
import { Framer } from '../src/wire/framer.js';
import type { Packet } from '../src/wire/packet.js';
import type { ProtocolVersion } from '../src/wire/version.js';

/** Everything that comes out of `chunks`, as a connection would take it. */
export function decodeChunks(
  chunks: readonly Buffer[],
  version: ProtocolVersion,
  framer = new Framer(),
): Packet[] {
  const packets: Packet[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    while (framer.next()) {
      packets.push(decodeFrame(framer.source, framer.frameStart, framer.start, framer.end, version));
    }
  }
  return packets;
}

/** `bytes` in two chunks that share no memory with each other, so that nothing can be read across the cut. */
export function splitAt(bytes: Buffer, at: number): [Buffer, Buffer] {
  return [Buffer.from(bytes.subarray(0, at)), Buffer.from(bytes.subarray(at))];
}

/** Where to cut a packet: everywhere, but in a long one not at every byte of its middle. */
export function cuts(length: number): number[] {
  const every = Array.from({ length: length + 1 }, (_, index) => index);
  if (length <= 600) return every;
  const step = Math.ceil(length / 16);
  return every.filter((at) => at < 20 || at > length - 4 || at % step === 0);
}

/** One byte a chunk. */
export function singleBytes(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.from([byte]));
}
