/** FIN and the opcode of binary data (RFC 6455, 5.2). */
const BINARY = 0x82;
/** Packets up to this many bytes are copied behind their frame's header, longer ones go out by reference. */
const LARGEST_COPIED = 1024;

/**
 * Puts each MQTT packet into one binary frame (broker §10.1), without a mask:
 *
 *     0x82 | length 1, or 126 and length 2, or 127 and length 8 | packet
 *
 * The packets may be cut anywhere between the buffers that are given; the beginning of one whose end is missing is kept.
 */
export class PacketFrames {
  /** Beginning of a packet whose end has not been given. */
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** Buffers to write one after the other: whole frames only. Empty while no packet is complete. */
  frame(chunks: readonly Buffer[]): Buffer[] {
    const output: Buffer[] = [];
    for (const chunk of chunks) this.#frame(chunk, output);
    return output;
  }

  #frame(chunk: Buffer, output: Buffer[]): void {
    let at = 0;
    if (this.#heldBytes > 0) {
      at = this.#complete(chunk, output);
      if (at === 0) return;
    }
    at = copySmall(chunk, at, output);
    while (at < chunk.length) {
      const end = at + packetLength(chunk, at);
      if (!(end <= chunk.length)) {
        this.#hold(chunk.subarray(at));
        return;
      }
      output.push(frameHeader(end - at), chunk.subarray(at, end));
      at = copySmall(chunk, end, output);
    }
  }

  /** Adds what is missing to the packet that was begun. @returns Where the next one starts; 0: still incomplete. */
  #complete(chunk: Buffer, output: Buffer[]): number {
    // A fixed header has at most five bytes; more than its beginning is needed only to know the length.
    const start = this.#held[0] as Buffer;
    const length = packetLength(
      start.length >= 5 ? start : Buffer.concat([...this.#held, chunk.subarray(0, 5)]),
      0,
    );
    const missing = length - this.#heldBytes;
    if (!(missing <= chunk.length)) {
      this.#hold(chunk);
      return 0;
    }
    output.push(frameHeader(length), ...this.#held, chunk.subarray(0, missing));
    this.#held = [];
    this.#heldBytes = 0;
    return missing;
  }

  #hold(part: Buffer): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
  }
}

/** Frames the small packets from `at` on in one buffer of their own. @returns Where the first other thing starts. */
function copySmall(chunk: Buffer, at: number, output: Buffer[]): number {
  let end = at;
  let size = 0;
  for (;;) {
    const length = packetLength(chunk, end);
    if (!(length <= LARGEST_COPIED && end + length <= chunk.length)) break;
    size += headerBytes(length) + length;
    end += length;
  }
  if (size === 0) return at;
  const frames = Buffer.allocUnsafe(size);
  let to = 0;
  for (let from = at; from < end; ) {
    const length = packetLength(chunk, from);
    to = writeHeader(frames, to, length);
    chunk.copy(frames, to, from, from + length);
    to += length;
    from += length;
  }
  output.push(frames);
  return end;
}

/** Bytes of the packet that starts at `at`; infinite while that cannot be seen. */
function packetLength(bytes: Buffer, at: number): number {
  let remaining = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[at + 1 + digit];
    if (byte === undefined) return Number.POSITIVE_INFINITY;
    remaining += (byte & 0x7f) * 128 ** digit;
    if (byte < 128) return 2 + digit + remaining;
  }
  throw new Error('what is written is no MQTT packet');
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function frameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(headerBytes(length));
  writeHeader(header, 0, length);
  return header;
}

function writeHeader(target: Buffer, at: number, length: number): number {
  target[at] = BINARY;
  if (length < 126) {
    target[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    target[at + 1] = 126;
    target.writeUInt16BE(length, at + 2);
    return at + 4;
  }
  target[at + 1] = 127;
  target.writeUInt32BE(0, at + 2);
  target.writeUInt32BE(length, at + 6);
  return at + 10;
}
