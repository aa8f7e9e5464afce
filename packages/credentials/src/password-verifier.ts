import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { binaryText } from './binary-text.js';
import { CheckQueue } from './check-queue.js';
import { credentialLines } from './credential-lines.js';
import { verifyPassword } from './hash-password.js';
import { type PasswordHash, parsePasswordHash } from './password-hash.js';
import { HASH_CONCURRENCY } from './slow-hash-pool.js';

/** Checks that may wait for their turn before further ones are answered `busy` (broker B-12). */
export const MAX_WAITING_CHECKS = 64;

/** What became of a check. `busy`: nobody looked, the client may try again (CONNACK 0x89). */
export type Verdict = 'accepted' | 'refused' | 'busy';

/** A line that a broker does not accept in a password file (broker §4.2). */
export class PasswordFileError extends Error {
  override readonly name = 'PasswordFileError';
  /** Stable name of the fault. */
  readonly code: 'undecodable-hash' | 'duplicate-user' | 'invalid-line';
  readonly path: string;
  /** Line number, from 1. */
  readonly line: number;

  constructor(code: PasswordFileError['code'], path: string, line: number, what: string) {
    super(`password-file: Error: ${what} in password file '${path}'. (line ${line})`);
    this.code = code;
    this.path = path;
    this.line = line;
  }
}

/** Settings of a `PasswordVerifier`. */
export interface PasswordVerifierOptions {
  /** Hashes at the same time; default one per core beyond the first, at least one. */
  readonly concurrency?: number;
  /** Checks that may wait, default 64. */
  readonly maxWaiting?: number;
  /** Told when a hash could not be computed (such as too little memory); that check is answered `busy`. */
  readonly onError?: (error: unknown, username: string) => void;
}

/** The users of a password file, checked off the event loop in a bounded queue. One for each load of the file. */
export class PasswordVerifier {
  /** By name, one character for each byte. */
  private readonly hashes: ReadonlyMap<string, PasswordHash>;
  private readonly names: readonly string[];
  private readonly queue: CheckQueue;
  private readonly onError: (error: unknown, username: string) => void;
  /** Secret of this object: makes the digests below worthless elsewhere. */
  private readonly key = randomBytes(32);
  /** Keyed digest of the last password accepted, for each user. */
  private readonly accepted = new Map<string, Buffer>();
  /** Checks under way, by keyed digest: a crowd that comes with the same password costs one hash. */
  private readonly underWay = new Map<string, Promise<Verdict>>();

  private constructor(hashes: ReadonlyMap<string, PasswordHash>, options: PasswordVerifierOptions) {
    this.hashes = hashes;
    this.names = [...hashes.keys()];
    this.queue = new CheckQueue(
      options.concurrency ?? HASH_CONCURRENCY,
      options.maxWaiting ?? MAX_WAITING_CHECKS,
    );
    this.onError = options.onError ?? (() => {});
  }

  /**
   * Reads the content of a password file as the broker does (broker §4.2): lines that start with `#` or have no `:` are
   * skipped, name and hash are trimmed, what follows a second `:` is ignored.
   *
   * @param content bytes of the file, or its text.
   * @param path the file's name, for the errors.
   * @throws PasswordFileError for the first line with an empty name, a hash that cannot be decoded, or a user for the
   * second time.
   */
  static fromText(
    content: string | Uint8Array,
    path: string,
    options: PasswordVerifierOptions = {},
  ): PasswordVerifier {
    const hashes = new Map<string, PasswordHash>();
    for (const { number, name, secret } of credentialLines(content)) {
      if (name === '') throw new PasswordFileError('invalid-line', path, number, 'Invalid line');
      const hash = parsePasswordHash(secret);
      if (hash === undefined) {
        throw new PasswordFileError('undecodable-hash', path, number, 'Unable to decode line');
      }
      if (hashes.has(name)) {
        const user = Buffer.from(name, 'latin1').toString('utf8');
        throw new PasswordFileError('duplicate-user', path, number, `Duplicate user '${user}'`);
      }
      hashes.set(name, hash);
    }
    return new PasswordVerifier(hashes, options);
  }

  /** Number of users. */
  get size(): number {
    return this.hashes.size;
  }

  /** Whether the file has such a user. Not for telling a client. */
  has(username: string): boolean {
    return this.hashes.has(binaryText(username));
  }

  /**
   * Checks a password. A user that does not exist takes as long as one that does, and a missing password as long as a
   * wrong one. The password that was right before is answered without hashing again.
   *
   * Never rejects; see `PasswordVerifierOptions.onError`.
   */
  verify(username: string, password: Uint8Array | undefined): Promise<Verdict> {
    const digest = this.keyedDigest(username, password);
    const accepted = this.accepted.get(username);
    if (accepted !== undefined && timingSafeEqual(accepted, digest)) return Promise.resolve('accepted');
    const key = digest.toString('latin1');
    const underWay = this.underWay.get(key);
    if (underWay !== undefined) return underWay;
    const check = this.queue.run(() => this.check(username, password, digest));
    if (check === undefined) return Promise.resolve('busy');
    const settled = check.finally(() => this.underWay.delete(key));
    this.underWay.set(key, settled);
    return settled;
  }

  private async check(username: string, password: Uint8Array | undefined, digest: Buffer): Promise<Verdict> {
    const known = this.hashes.get(binaryText(username));
    const hash = known ?? this.decoy(username);
    if (hash === undefined) return 'refused';
    try {
      const matches = await verifyPassword(password ?? new Uint8Array(), hash);
      if (!matches || known === undefined || password === undefined) return 'refused';
      this.accepted.set(username, digest);
      return 'accepted';
    } catch (error) {
      this.onError(error, username);
      return 'busy';
    }
  }

  // Some user's hash, always the same for the same name, so that the time tells nothing in files of mixed kinds either.
  private decoy(username: string): PasswordHash | undefined {
    if (this.names.length === 0) return undefined;
    const place = this.keyedDigest(username, undefined).readUInt32BE(0) % this.names.length;
    return this.hashes.get(this.names[place]!);
  }

  private keyedDigest(username: string, password: Uint8Array | undefined): Buffer {
    const hmac = createHmac('sha256', this.key)
      .update(`${Buffer.byteLength(username)}:`)
      .update(username);
    return (password === undefined ? hmac : hmac.update('=').update(password)).digest();
  }
}
