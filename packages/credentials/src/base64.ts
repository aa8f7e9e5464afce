/**
 * Base64 as password files use it: the standard alphabet, padded in `$6$` and `$7$`, unpadded in PHC strings. Node's
 * decoder skips what it does not know, so a decoded text only counts when it encodes back to itself.
 */

const PADDING = /=+$/;

/** Bytes of a padded Base64 text, or `undefined` where the text is not exactly that. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Bytes of an unpadded Base64 text (PHC string), or `undefined` where the text is not exactly that. */
export function decodeUnpaddedBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return encodeUnpaddedBase64(bytes) === text ? bytes : undefined;
}

/** Standard Base64 without its padding (PHC string). */
export function encodeUnpaddedBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(PADDING, '');
}

const STANDARD_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BCRYPT_ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** bcrypt's own Base64: the bits in the usual order, another alphabet, no padding. */
export function encodeBcryptBase64(bytes: Uint8Array): string {
  return encodeUnpaddedBase64(bytes).replace(
    /[A-Za-z0-9+/]/g,
    (char) => BCRYPT_ALPHABET[STANDARD_ALPHABET.indexOf(char)]!,
  );
}
