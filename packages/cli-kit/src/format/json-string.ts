import { isUtf8 } from 'node:buffer';
import type { ByteSink } from './byte-sink.js';

const QUOTE = 0x22;
const ESCAPED = 1;
const NOT_ASCII = 2;

/** What a byte means for a JSON string: nothing, it must be escaped, or it belongs to a longer character. */
const KIND = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return ESCAPED;
  return byte < 0x80 ? 0 : NOT_ASCII;
});

/** What stands for each byte that must be escaped, as JSON.stringify writes it (cli §15.2). */
const ESCAPES: readonly (Buffer | undefined)[] = Array.from(KIND, (kind, byte) =>
  kind === ESCAPED ? Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)) : undefined,
);

/** Bytes escaped at a time. */
const CHUNK_BYTES = 4096;
const LONGEST_ESCAPE = 6;
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES * LONGEST_ESCAPE);

/** Writes bytes as a JSON string, with its quotes. False, and nothing written, where they are not UTF-8. */
export function writeJsonString(out: ByteSink, bytes: Uint8Array): boolean {
  let kinds = 0;
  for (let index = 0; index < bytes.length; index++) kinds |= KIND[bytes[index]!]!;
  if ((kinds & NOT_ASCII) !== 0 && !isUtf8(bytes)) return false;
  out.byte(QUOTE);
  if ((kinds & ESCAPED) === 0) out.bytes(bytes);
  else writeEscaped(out, bytes);
  out.byte(QUOTE);
  return true;
}

/** The same for any bytes: what is not UTF-8 becomes U+FFFD (P-6). */
export function writeJsonStringOfAnyBytes(out: ByteSink, bytes: Uint8Array): void {
  if (!writeJsonString(out, bytes)) writeJsonString(out, Buffer.from(decoder.decode(bytes)));
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function writeEscaped(out: ByteSink, bytes: Uint8Array): void {
  let length = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    const escaped = ESCAPES[byte];
    if (escaped === undefined) chunk[length++] = byte;
    else for (let at = 0; at < escaped.length; at++) chunk[length++] = escaped[at]!;
    if (length <= chunk.length - LONGEST_ESCAPE) continue;
    out.bytes(chunk.subarray(0, length));
    length = 0;
  }
  out.bytes(chunk.subarray(0, length));
}
