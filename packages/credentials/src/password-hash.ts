import { decodeBase64, decodeUnpaddedBase64, encodeUnpaddedBase64 } from './base64.js';

/** The hashes that can be written; the names are those of `tsmqtt-passwd -H`. */
export const HASH_KINDS = ['sha512-pbkdf2', 'sha512', 'argon2id', 'bcrypt'] as const;

/** Name of a hash, as `tsmqtt-passwd -H` takes it. */
export type HashKind = (typeof HASH_KINDS)[number];

/** `$6$SALT$HASH`: SHA-512 of password and salt, one pass. */
export interface Sha512Hash {
  readonly kind: 'sha512';
  readonly salt: Uint8Array;
  readonly digest: Uint8Array;
}

/** `$7$ITER$SALT$HASH`: PBKDF2-HMAC-SHA512. */
export interface Pbkdf2Hash {
  readonly kind: 'sha512-pbkdf2';
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly digest: Uint8Array;
}

/** `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`, a PHC string. */
export interface Argon2idHash {
  readonly kind: 'argon2id';
  /** Memory in KiB. */
  readonly memory: number;
  /** Passes over the memory. */
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
  readonly digest: Uint8Array;
}

/** `$2b$COST$SALTHASH`, in bcrypt's own Base64. */
export interface BcryptHash {
  readonly kind: 'bcrypt';
  /** Version, cost and salt: the first 29 characters. */
  readonly setting: string;
  /** The last 31 characters. */
  readonly digest: string;
}

/** A decoded hash of a password file. */
export type PasswordHash = Sha512Hash | Pbkdf2Hash | Argon2idHash | BcryptHash;

/** Bytes of a `$6$` or `$7$` digest. */
export const SHA512_LENGTH = 64;
/** Most iterations that PBKDF2 takes here. */
export const MAX_ITERATIONS = 0x7fff_ffff;

/** Most memory an argon2id hash may ask for: 2 GiB, what WebAssembly can address safely. */
const MAX_ARGON2_MEMORY = 0x20_0000;
const MAX_ARGON2_FIELD_LENGTH = 1024;
const ARGON2ID = /^\$argon2id\$v=19\$m=([1-9]\d*),t=([1-9]\d*),p=([1-9]\d*)\$([^$]+)\$([^$]+)$/;
const BCRYPT = /^(\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
const PBKDF2 = /^\$7\$([1-9]\d*)\$([^$]+)\$([^$]+)$/;
const SHA512 = /^\$6\$([^$]+)\$([^$]+)$/;

/**
 * Decodes the hash of a password file entry.
 *
 * @returns `undefined` where the text is no hash that this library can verify: plain text, another kind, or a
 * salt or digest of a length that the broker does not accept (cli §18.4).
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  return parsePbkdf2(text) ?? parseSha512(text) ?? parseArgon2id(text) ?? parseBcrypt(text);
}

/** The text of a hash as it stands in a password file. */
export function formatPasswordHash(hash: PasswordHash): string {
  switch (hash.kind) {
    case 'sha512':
      return `$6$${base64(hash.salt)}$${base64(hash.digest)}`;
    case 'sha512-pbkdf2':
      return `$7$${hash.iterations}$${base64(hash.salt)}$${base64(hash.digest)}`;
    case 'argon2id': {
      const parameters = `m=${hash.memory},t=${hash.passes},p=${hash.lanes}`;
      return `$argon2id$v=19$${parameters}$${encodeUnpaddedBase64(hash.salt)}$${encodeUnpaddedBase64(hash.digest)}`;
    }
    case 'bcrypt':
      return hash.setting + hash.digest;
  }
}

// Hash identifiers in use somewhere, whether this library reads them or not: `-U` must not hash what is hashed.
const HASH_SHAPE = /^\$(?:[1-9y]|2[abxy]?|argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9-]*|scram-sha-\d+)\$[!-~]+$/;

/**
 * Whether a text is a password hash rather than a password, also of a kind that this library cannot verify.
 * Hashing is not repeated on such texts (P-16).
 */
export function looksHashed(text: string): boolean {
  return HASH_SHAPE.test(text);
}

function parsePbkdf2(text: string): Pbkdf2Hash | undefined {
  const match = PBKDF2.exec(text);
  if (match === null) return undefined;
  const iterations = Number(match[1]);
  const salt = decodeSalt(match[2]!);
  const digest = decodeDigest(match[3]!);
  if (iterations > MAX_ITERATIONS || salt === undefined || digest === undefined) return undefined;
  return { kind: 'sha512-pbkdf2', iterations, salt, digest };
}

function parseSha512(text: string): Sha512Hash | undefined {
  const match = SHA512.exec(text);
  if (match === null) return undefined;
  const salt = decodeSalt(match[1]!);
  const digest = decodeDigest(match[2]!);
  return salt === undefined || digest === undefined ? undefined : { kind: 'sha512', salt, digest };
}

function parseArgon2id(text: string): Argon2idHash | undefined {
  const match = ARGON2ID.exec(text);
  if (match === null) return undefined;
  const [memory, passes, lanes] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const salt = decodeUnpaddedBase64(match[4]!);
  const digest = decodeUnpaddedBase64(match[5]!);
  if (salt === undefined || salt.length < 8 || salt.length > MAX_ARGON2_FIELD_LENGTH) return undefined;
  if (digest === undefined || digest.length < 4 || digest.length > MAX_ARGON2_FIELD_LENGTH) return undefined;
  // RFC 9106, 3.1: at least 8 KiB a lane, at most 2^24 - 1 lanes; the pass count is a 32-bit number.
  if (memory < 8 * lanes || memory > MAX_ARGON2_MEMORY || passes > 0xffff_ffff) return undefined;
  return { kind: 'argon2id', memory, passes, lanes, salt, digest };
}

function parseBcrypt(text: string): BcryptHash | undefined {
  const match = BCRYPT.exec(text);
  return match === null ? undefined : { kind: 'bcrypt', setting: match[1]!, digest: match[2]! };
}

// The reference takes salts of the two lengths its releases have written, nothing else (cli §18.4).
function decodeSalt(text: string): Buffer | undefined {
  const salt = decodeBase64(text);
  return salt?.length === 12 || salt?.length === 64 ? salt : undefined;
}

function decodeDigest(text: string): Buffer | undefined {
  const digest = decodeBase64(text);
  return digest?.length === SHA512_LENGTH ? digest : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
