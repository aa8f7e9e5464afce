/** What a copy in a loop costs less for than a call into the runtime. */
const SHORT = 48;

/** Copies `source[start, end)` to `target` from `at` on, where there must be room. For pieces that are mostly short. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > SHORT) {
    // Whoever publishes may have a Uint8Array that is no Buffer.
    Buffer.prototype.copy.call(source, target, at, start, end);
    return;
  }
  for (let from = start; from < end; from++) target[at++] = source[from] as number;
}
