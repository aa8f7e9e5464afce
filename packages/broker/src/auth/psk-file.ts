import { SecretFileError } from './secret-file.js';

/** Longest key in bytes that OpenSSL takes. */
const LONGEST_KEY = 256;

/**
 * Keys of TLS-PSK by identity: lines of `identity:hexkey`, `#` in column 0 begins a comment, the first of several lines
 * of one identity holds (broker §4.3).
 *
 * @throws SecretFileError 3 for a key that is none.
 */
export function parsePreSharedKeys(content: Uint8Array, path: string): ReadonlyMap<string, Buffer> {
  const keys = new Map<string, Buffer>();
  for (const [index, line] of Buffer.from(content).toString().split(/\r?\n/).entries()) {
    const colon = line.indexOf(':');
    if (line.startsWith('#') || colon === -1) continue;
    const identity = line.slice(0, colon).trim();
    const hex = line.slice(colon + 1).trim();
    if (!keys.has(identity)) keys.set(identity, readKey(identity, hex, `${path}:${index + 1}`));
  }
  return keys;
}

/** As mosquitto_pub reads it: an odd number of digits has a 0 in front. */
function readKey(identity: string, hex: string, place: string): Buffer {
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`;
  const fault = !/^[0-9a-fA-F]*$/.test(hex)
    ? 'contains non-hexadecimal characters'
    : digits === ''
      ? 'is empty'
      : digits.length > 2 * LONGEST_KEY
        ? `is longer than ${LONGEST_KEY} bytes`
        : undefined;
  if (fault !== undefined) {
    throw new SecretFileError(3, [`Error: psk for identity "${identity}" ${fault}. (${place})`]);
  }
  return Buffer.from(digits, 'hex');
}
