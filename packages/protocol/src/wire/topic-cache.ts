/**
 * Remembers the topics that came last, so that a stream to few topics neither decodes nor validates each again, and
 * gives the same string object each time, which makes every later lookup by topic cheap.
 * Bounded: 512 topics of at most 128 bytes.
 */
const SLOTS = 512;
const LONGEST = 128;

const bytesBySlot: (Uint8Array | undefined)[] = new Array(SLOTS).fill(undefined);
const textBySlot: string[] = new Array(SLOTS).fill('');

/** The slot for these bytes, or -1 for a topic that is too long to be remembered. */
export function topicSlot(source: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST) return -1;
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (source[at] as number)) | 0;
  return (hash ^ (hash >>> 9)) & (SLOTS - 1);
}

/** The topic that `slot` remembers if it is this one, else undefined. */
export function rememberedTopic(
  slot: number,
  source: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  const bytes = bytesBySlot[slot];
  if (bytes === undefined || bytes.length !== end - start) return undefined;
  for (let index = 0; index < bytes.length; index++) {
    if (bytes[index] !== source[start + index]) return undefined;
  }
  return textBySlot[slot];
}

/** Lets `slot` remember a topic that was found valid. */
export function rememberTopic(
  slot: number,
  source: Uint8Array,
  start: number,
  end: number,
  text: string,
): void {
  bytesBySlot[slot] = new Uint8Array(source.subarray(start, end));
  textBySlot[slot] = text;
}
