/**
 * Remembers the topics that came last, so that a stream to some thousand topics neither decodes nor validates each
 * again, and gives the same string object each time, which makes every later lookup by topic cheap.
 * Bounded: 8,192 topics of at most 128 bytes, in sets of two, because topics that fall on one place by turns would
 * drive each other out every time.
 */
const SETS = 4096;
const SLOTS = SETS * 2;
const LONGEST = 128;

/** Empty until there is a second topic: a process that receives one message must not pay for 128 KiB. */
const bytesBySlot: (Uint8Array | undefined)[] = [];
const textBySlot: string[] = [];
let asked = false;

/** Makes the slots, from the second topic on. */
function ready(): boolean {
  if (!asked) {
    asked = true;
    return false;
  }
  for (let slot = 0; slot < SLOTS; slot++) {
    bytesBySlot.push(undefined);
    textBySlot.push('');
  }
  return true;
}

/** The first of the two slots for these bytes, or -1 for a topic that is not to be remembered: it is too long, or the first. */
export function topicSlot(source: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST || (textBySlot.length === 0 && !ready())) return -1;
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (source[at] as number)) | 0;
  return ((hash ^ (hash >>> 12)) & (SETS - 1)) * 2;
}

/** The topic that `slot` or the one behind it remembers if it is this one, else undefined. */
export function rememberedTopic(
  slot: number,
  source: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  if (holds(slot, source, start, end)) return textBySlot[slot];
  return holds(slot + 1, source, start, end) ? textBySlot[slot + 1] : undefined;
}

function holds(slot: number, source: Uint8Array, start: number, end: number): boolean {
  const bytes = bytesBySlot[slot];
  if (bytes === undefined || bytes.length !== end - start) return false;
  for (let index = 0; index < bytes.length; index++) {
    if (bytes[index] !== source[start + index]) return false;
  }
  return true;
}

/** Lets `slot` remember a topic that was found valid; what it had goes to the one behind it. */
export function rememberTopic(
  slot: number,
  source: Uint8Array,
  start: number,
  end: number,
  text: string,
): void {
  bytesBySlot[slot + 1] = bytesBySlot[slot];
  textBySlot[slot + 1] = textBySlot[slot] as string;
  bytesBySlot[slot] = new Uint8Array(source.subarray(start, end));
  textBySlot[slot] = text;
}
