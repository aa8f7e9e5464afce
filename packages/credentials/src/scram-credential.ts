/**
 * SCRAM-SHA-256 credentials (RFC 5802, RFC 7677) as they stand in a `scram_file` (broker B-14):
 * `$scram-sha-256$ITER$SALT$STOREDKEY$SERVERKEY`, all Base64 with padding. They let a server check a user without ever
 * seeing the password, and prove itself to the user.
 */
import { isUtf8 } from 'node:buffer';
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeBase64 } from './base64.js';
import { MAX_ITERATIONS } from './password-hash.js';
import { saslPrep } from './sasl-prep.js';
import { DEFAULT_ITERATIONS, UnhashablePasswordError } from './unhashable-password-error.js';

const pbkdf2Async = promisify(pbkdf2);

/** Name of the kind, as `tsmqtt-passwd -H` takes it. */
export const SCRAM_KIND = 'scram-sha-256';
/** Fewest iterations of a new credential: clients may refuse less (RFC 7677, 4). */
export const MIN_SCRAM_ITERATIONS = 4096;

/** Bytes of both keys. */
export const SCRAM_KEY_LENGTH = 32;
/** Bytes of a new salt. */
export const SCRAM_SALT_LENGTH = 16;
const MAX_SALT_LENGTH = 1024;
const LAYOUT = /^\$scram-sha-256\$([1-9]\d*)\$([^$]+)\$([^$]+)\$([^$]+)$/;
const SCRAM_SHAPE = /^\$scram-sha-256\$/;

/** What a server keeps of a password. */
export interface ScramCredential {
  /** PBKDF2 iterations, 1 to 2^31 - 1. */
  readonly iterations: number;
  /** 1 to 1024 bytes. */
  readonly salt: Uint8Array;
  /** SHA-256 of the client key, 32 bytes: recognises the client's proof. */
  readonly storedKey: Uint8Array;
  /** 32 bytes: signs what the server answers. */
  readonly serverKey: Uint8Array;
}

/** How to make a new credential. */
export interface ScramSettings {
  /** 4,096 to 2^31 - 1, default 10,000. The client computes them, too. */
  readonly iterations?: number;
}

/** Whether a text claims to be a SCRAM-SHA-256 credential, decodable or not. */
export function looksLikeScram(text: string): boolean {
  return SCRAM_SHAPE.test(text);
}

/** Decodes the credential of a `scram_file` entry; `undefined` where the text is none. */
export function parseScramCredential(text: string): ScramCredential | undefined {
  const match = LAYOUT.exec(text);
  if (match === null) return undefined;
  const iterations = Number(match[1]);
  const salt = decodeBase64(match[2]!);
  const storedKey = decodeBase64(match[3]!);
  const serverKey = decodeBase64(match[4]!);
  if (iterations > MAX_ITERATIONS || salt === undefined || salt.length > MAX_SALT_LENGTH) return undefined;
  if (storedKey?.length !== SCRAM_KEY_LENGTH || serverKey?.length !== SCRAM_KEY_LENGTH) return undefined;
  return { iterations, salt, storedKey, serverKey };
}

/** The text of a credential as it stands in a `scram_file`. */
export function formatScramCredential(credential: ScramCredential): string {
  const { iterations, salt, storedKey, serverKey } = credential;
  return `$${SCRAM_KIND}$${iterations}$${base64(salt)}$${base64(storedKey)}$${base64(serverKey)}`;
}

/**
 * Makes the credential of a password with a fresh salt, off the event loop. The password is prepared with SASLprep, as
 * clients do.
 *
 * @throws UnhashablePasswordError where the password is not UTF-8, holds what SASLprep prohibits (such as control
 * characters), is empty after it, and for iterations out of range.
 */
export async function makeScramCredential(
  password: Uint8Array,
  settings: ScramSettings = {},
): Promise<ScramCredential> {
  const { iterations = DEFAULT_ITERATIONS } = settings;
  if (!Number.isInteger(iterations) || iterations < MIN_SCRAM_ITERATIONS || iterations > MAX_ITERATIONS) {
    throw new UnhashablePasswordError(
      'iterations-out-of-range',
      `${SCRAM_KIND} takes ${MIN_SCRAM_ITERATIONS} to ${MAX_ITERATIONS} iterations`,
    );
  }
  const prepared = preparePassword(password);
  if (prepared === undefined) {
    throw new UnhashablePasswordError(
      'password-not-text',
      `${SCRAM_KIND} takes only UTF-8 text without control characters`,
    );
  }
  if (prepared === '') {
    throw new UnhashablePasswordError('password-empty', `${SCRAM_KIND} takes no empty password`);
  }
  return derive(prepared, randomBytes(SCRAM_SALT_LENGTH), iterations);
}

/** Whether a password is the one that a credential was made of. Compares in constant time, off the event loop. */
export async function verifyScramPassword(
  password: Uint8Array,
  credential: ScramCredential,
): Promise<boolean> {
  const prepared = preparePassword(password) ?? '';
  const { storedKey, serverKey } = await derive(prepared, credential.salt, credential.iterations);
  // Both are compared whatever the first one says.
  const same = [
    timingSafeEqual(storedKey, credential.storedKey),
    timingSafeEqual(serverKey, credential.serverKey),
  ];
  return prepared !== '' && same.every(Boolean);
}

/**
 * The server's side of the exchange (RFC 5802, 3): checks the client's proof in constant time.
 *
 * @param authMessage client-first-message-bare, server-first-message and client-final-message-without-proof, joined
 * with commas.
 * @param proof decoded `p=`.
 * @returns the server signature, for `v=`; `undefined` where the client does not know the password.
 */
export function checkScramProof(
  credential: ScramCredential,
  authMessage: string,
  proof: Uint8Array,
): Buffer | undefined {
  const signature = hmac(credential.storedKey, authMessage);
  if (proof.length !== signature.length) return undefined;
  const clientKey = Buffer.from(signature.map((byte, index) => byte ^ proof[index]!));
  if (!timingSafeEqual(sha256(clientKey), credential.storedKey)) return undefined;
  return hmac(credential.serverKey, authMessage);
}

async function derive(password: string, salt: Uint8Array, iterations: number): Promise<ScramCredential> {
  const saltedPassword = await pbkdf2Async(password, salt, iterations, SCRAM_KEY_LENGTH, 'sha256');
  const storedKey = sha256(hmac(saltedPassword, 'Client Key'));
  return { iterations, salt, storedKey, serverKey: hmac(saltedPassword, 'Server Key') };
}

function preparePassword(password: Uint8Array): string | undefined {
  return isUtf8(password) ? saslPrep(Buffer.from(password).toString('utf8')) : undefined;
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
