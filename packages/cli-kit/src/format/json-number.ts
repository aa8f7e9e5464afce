import type { ByteSink } from './byte-sink.js';

const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** What C's strtod reads of the characters that numbers are made of. */
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Writes the number that C's strtod reads at `start` (cli §15.3) and answers its length, 0 where there is none. Its
 * text stays as it is (P-7); what only C reads as a number (`01`, `1.`, `-.5`) gets the shape of JSON.
 */
export function writeJsonNumber(out: ByteSink, payload: Buffer, start: number): number {
  let end = start;
  while (NUMBER_CHARACTERS[payload[end] ?? 0]) end++;
  if (isPlainNumber(payload, start, end)) {
    out.bytes(payload.subarray(start, end));
    return end - start;
  }
  const text = NUMBER.exec(payload.toString('latin1', start, end))?.[0] ?? '';
  out.text(JSON_NUMBER.test(text) ? text : jsonNumber(text));
  return text.length;
}

/** 1 for what numbers are made of. */
const NUMBER_CHARACTERS = new Uint8Array(256);
for (const byte of Buffer.from('0123456789+-eE.')) NUMBER_CHARACTERS[byte] = 1;

/** Whether `bytes[start, end)` is a JSON number without exponent: most are. */
function isPlainNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let at = bytes[start] === MINUS ? start + 1 : start;
  // Zeros in front belong to no JSON number, unless the point follows.
  if (bytes[at] === ZERO && at + 1 < end && bytes[at + 1] !== DOT) return false;
  let digits = 0;
  let points = 0;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === DOT && digits > 0 && points === 0) {
      points++;
      digits = 0;
    } else if (byte >= ZERO && byte <= NINE) digits++;
    else return false;
  }
  return digits > 0;
}

/** The JSON number that C reads from `text`. */
function jsonNumber(text: string): string {
  return text
    .replace(/^(-?)0+(?=\d)/, '$1')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.(?!\d)/, '');
}
