import { isUtf8 } from 'node:buffer';
import { createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { encodeBcryptBase64 } from './base64.js';
import {
  formatPasswordHash,
  type HashKind,
  MAX_ITERATIONS,
  type PasswordHash,
  SHA512_LENGTH,
} from './password-hash.js';
import { runSlowHash } from './slow-hash-pool.js';
import { DEFAULT_ITERATIONS, UnhashablePasswordError } from './unhashable-password-error.js';

const pbkdf2Async = promisify(pbkdf2);

/** Bytes of salt in new `$7$` and `$6$` entries: 2.0.x and 2.1.x both read 12, 2.0.x does not read 64 (P-15). */
const SALT_LENGTH = 12;
const BCRYPT_COST = 12;
const BCRYPT_MAX_LENGTH = 72;
const ARGON2ID = { memory: 47_104, passes: 1, lanes: 1, saltLength: 64, digestLength: 64 };

/** How to hash a new password. */
export interface HashSettings {
  /** Default `sha512-pbkdf2`. */
  readonly kind?: HashKind;
  /** PBKDF2 iterations, 1 to 2^31 - 1, default 10,000; without meaning for the other kinds. */
  readonly iterations?: number;
}

/**
 * Hashes a password with a fresh salt, off the event loop.
 *
 * @returns the text for a password file entry.
 * @throws UnhashablePasswordError where bcrypt would cut the password short (more than 72 bytes, a NUL) or it is not
 * UTF-8, where argon2id gets an empty one, and for iterations out of range.
 */
export async function hashPassword(password: Uint8Array, settings: HashSettings = {}): Promise<string> {
  const { kind = 'sha512-pbkdf2', iterations = DEFAULT_ITERATIONS } = settings;
  return formatPasswordHash(await newHash(password, kind, iterations));
}

/**
 * Whether a password is the one that was hashed. Compares in constant time, off the event loop.
 *
 * @throws Error where the hash cannot be computed, such as too little memory for argon2id.
 */
export async function verifyPassword(password: Uint8Array, hash: PasswordHash): Promise<boolean> {
  switch (hash.kind) {
    case 'sha512':
      return timingSafeEqual(sha512(password, hash.salt), hash.digest);
    case 'sha512-pbkdf2': {
      const { salt, iterations, digest } = hash;
      return timingSafeEqual(await pbkdf2Async(password, salt, iterations, SHA512_LENGTH, 'sha512'), digest);
    }
    case 'argon2id': {
      const { memory, passes, lanes, salt, digest } = hash;
      const length = digest.length;
      // The library takes no empty password: one that is never right, but takes as long as one that may be.
      const job = {
        algorithm: hash.kind,
        password: orStandIn(password),
        salt,
        memory,
        passes,
        lanes,
        length,
      };
      return timingSafeEqual(await runSlowHash(job), digest) && password.length > 0;
    }
    case 'bcrypt': {
      // What bcrypt cannot tell apart from another password is never right, but takes as long as one that may be.
      const comparable = isBcryptText(password);
      const derived = await deriveBcrypt(comparable ? password : new Uint8Array(), hash.setting);
      return timingSafeEqual(derived, Buffer.from(hash.digest, 'latin1')) && comparable;
    }
  }
}

async function newHash(password: Uint8Array, kind: HashKind, iterations: number): Promise<PasswordHash> {
  switch (kind) {
    case 'sha512': {
      const salt = randomBytes(SALT_LENGTH);
      return { kind, salt, digest: sha512(password, salt) };
    }
    case 'sha512-pbkdf2': {
      if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
        throw new UnhashablePasswordError(
          'iterations-out-of-range',
          `iterations must be 1 to ${MAX_ITERATIONS}`,
        );
      }
      const salt = randomBytes(SALT_LENGTH);
      const digest = await pbkdf2Async(password, salt, iterations, SHA512_LENGTH, 'sha512');
      return { kind, iterations, salt, digest };
    }
    case 'argon2id': {
      if (password.length === 0) {
        throw new UnhashablePasswordError('password-empty', 'argon2id takes no empty password');
      }
      const { memory, passes, lanes, saltLength, digestLength: length } = ARGON2ID;
      const salt = randomBytes(saltLength);
      const digest = await runSlowHash({ algorithm: kind, password, salt, memory, passes, lanes, length });
      return { kind, memory, passes, lanes, salt, digest };
    }
    case 'bcrypt': {
      if (password.length > BCRYPT_MAX_LENGTH) {
        throw new UnhashablePasswordError('password-too-long', 'bcrypt takes at most 72 bytes of a password');
      }
      if (!isBcryptText(password)) {
        throw new UnhashablePasswordError('password-not-text', 'bcrypt takes only UTF-8 text without NUL');
      }
      const setting = `$2b$${BCRYPT_COST}$${encodeBcryptBase64(randomBytes(16))}`;
      return { kind, setting, digest: (await deriveBcrypt(password, setting)).toString('latin1') };
    }
  }
}

function orStandIn(password: Uint8Array): Uint8Array {
  return password.length === 0 ? new Uint8Array(1) : password;
}

function sha512(password: Uint8Array, salt: Uint8Array): Buffer {
  return createHash('sha512').update(password).update(salt).digest();
}

async function deriveBcrypt(password: Uint8Array, setting: string): Promise<Buffer> {
  return Buffer.from(await runSlowHash({ algorithm: 'bcrypt', password, setting }));
}

// bcryptjs takes strings, so other bytes would all become U+FFFD; and behind a NUL bcrypt repeats the key.
function isBcryptText(password: Uint8Array): boolean {
  return isUtf8(password) && !password.includes(0);
}
