/** Mosquitto password files: parse, edit, hash, verify. */
export {
  DEFAULT_ITERATIONS,
  type HashSettings,
  hashPassword,
  UnhashablePasswordError,
  verifyPassword,
} from './hash-password.js';
export { type LineKind, type PasswordEntry, PasswordFile } from './password-file.js';
export {
  type Argon2idHash,
  type BcryptHash,
  formatPasswordHash,
  HASH_KINDS,
  type HashKind,
  looksHashed,
  MAX_ITERATIONS,
  type PasswordHash,
  type Pbkdf2Hash,
  parsePasswordHash,
  type Sha512Hash,
} from './password-hash.js';
export {
  MAX_WAITING_CHECKS,
  PasswordFileError,
  PasswordVerifier,
  type PasswordVerifierOptions,
  type Verdict,
} from './password-verifier.js';
export { HASH_CONCURRENCY, prepareSlowHashes } from './slow-hash-pool.js';
export { setWorkerFile } from './worker-file.js';
