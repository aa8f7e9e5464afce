import type { PublishFrame } from '@tsmqtt/protocol';

/** Small messages share a piece of this many bytes, as those of `Buffer.allocUnsafe()` do. */
const PIECE = 8192;
/** A message over this many bytes has bytes of its own: what is left of a piece is lost where it does not fit. */
const LARGEST_SHARED = 1024;

let piece = Buffer.alloc(0);
let used = 0;

/** Moves a message out of the chunk it came in, so that keeping it keeps little else. */
export function keepBytes(frame: PublishFrame): void {
  const size = frame.end - frame.frameStart;
  const { source } = frame;
  // A source of its own may be cut out of something large, as what is encoded here is.
  if (source.length <= size && source.buffer.byteLength <= Math.max(size, PIECE)) return;
  if (size > LARGEST_SHARED) {
    frame.moveTo(Buffer.allocUnsafeSlow(size), 0);
    return;
  }
  if (used + size > piece.length) {
    piece = Buffer.allocUnsafeSlow(PIECE);
    used = 0;
  }
  frame.moveTo(piece, used);
  used += size;
}
