/** Mosquitto password files: parse, edit, hash, verify. */
export { type HashSettings, hashPassword, verifyPassword } from './hash-password.js';
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
export { saslPrep } from './sasl-prep.js';
export {
  checkScramProof,
  formatScramCredential,
  looksLikeScram,
  MIN_SCRAM_ITERATIONS,
  makeScramCredential,
  parseScramCredential,
  SCRAM_KIND,
  type ScramCredential,
  type ScramSettings,
  verifyScramPassword,
} from './scram-credential.js';
export { ScramFile, ScramFileError, type ScramLookup } from './scram-file.js';
export { HASH_CONCURRENCY, prepareSlowHashes, setHashConcurrency } from './slow-hash-pool.js';
export { DEFAULT_ITERATIONS, UnhashablePasswordError } from './unhashable-password-error.js';
export { setWorkerFile } from './worker-file.js';
