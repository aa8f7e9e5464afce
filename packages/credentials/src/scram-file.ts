import { createHash, hkdfSync } from 'node:crypto';
import { credentialLines } from './credential-lines.js';
import { saslPrep } from './sasl-prep.js';
import {
  parseScramCredential,
  SCRAM_KEY_LENGTH,
  SCRAM_SALT_LENGTH,
  type ScramCredential,
} from './scram-credential.js';
import { DEFAULT_ITERATIONS } from './unhashable-password-error.js';

/** A line that a broker does not accept in a `scram_file`. */
export class ScramFileError extends Error {
  override readonly name = 'ScramFileError';
  /** Stable name of the fault. */
  readonly code: 'undecodable-credential' | 'duplicate-user' | 'invalid-line';
  readonly path: string;
  /** Line number, from 1. */
  readonly line: number;

  constructor(code: ScramFileError['code'], path: string, line: number, what: string) {
    super(`scram-file: Error: ${what} in SCRAM file '${path}'. (line ${line})`);
    this.code = code;
    this.path = path;
    this.line = line;
  }
}

/** What a server begins an exchange with. */
export interface ScramLookup {
  /** The user's; for an unknown user one that no password fits, so that the exchange goes on and fails at its end. */
  readonly credential: ScramCredential;
  readonly known: boolean;
  /** The name in the form by which users are told apart (RFC 5802, 5.1): what access rules should go by. */
  readonly name: string;
}

/** The users of a `scram_file` (broker B-14). One for each load of the file. */
export class ScramFile {
  private readonly credentials: ReadonlyMap<string, ScramCredential>;
  private readonly all: readonly ScramCredential[];
  /** Made of the file's secrets, so that an unknown user meets the same salt after a restart, too. */
  private readonly decoyKey: Buffer;

  private constructor(credentials: ReadonlyMap<string, ScramCredential>) {
    this.credentials = credentials;
    this.all = [...credentials.values()];
    const secrets = createHash('sha256');
    for (const { serverKey } of this.all) secrets.update(serverKey);
    this.decoyKey = secrets.digest();
  }

  /**
   * Reads the content of a `scram_file`, by the same rules as a password file (broker §4.2).
   *
   * @param path the file's name, for the errors.
   * @throws ScramFileError for the first line with an empty name, a credential that cannot be decoded (hashes of other
   * kinds among them), or a user for the second time.
   */
  static fromText(content: string | Uint8Array, path: string): ScramFile {
    const credentials = new Map<string, ScramCredential>();
    for (const { number, name, secret } of credentialLines(content)) {
      if (name === '') throw new ScramFileError('invalid-line', path, number, 'Invalid line');
      const credential = parseScramCredential(secret);
      if (credential === undefined) {
        throw new ScramFileError('undecodable-credential', path, number, 'Unable to decode line');
      }
      const key = preparedName(Buffer.from(name, 'latin1').toString('utf8'));
      if (credentials.has(key)) {
        throw new ScramFileError('duplicate-user', path, number, `Duplicate user '${key}'`);
      }
      credentials.set(key, credential);
    }
    return new ScramFile(credentials);
  }

  /** Number of users. */
  get size(): number {
    return this.credentials.size;
  }

  /** The credential to begin an exchange with. Neither it nor the time it takes tells whether the user exists. */
  lookUp(username: string): ScramLookup {
    const name = preparedName(username);
    const decoy = this.decoy(name);
    const credential = this.credentials.get(name);
    return credential === undefined
      ? { credential: decoy, known: false, name }
      : { credential, known: true, name };
  }

  // Iterations and length of the salt are some user's, always the same for the same name.
  private decoy(name: string): ScramCredential {
    const bytes = (purpose: string, length: number) =>
      Buffer.from(hkdfSync('sha256', this.decoyKey, name, purpose, length));
    const like = this.all[bytes('like', 4).readUInt32BE(0) % Math.max(1, this.all.length)];
    return {
      iterations: like?.iterations ?? DEFAULT_ITERATIONS,
      salt: bytes('salt', like?.salt.length ?? SCRAM_SALT_LENGTH),
      storedKey: bytes('stored key', SCRAM_KEY_LENGTH),
      serverKey: bytes('server key', SCRAM_KEY_LENGTH),
    };
  }
}

/** RFC 5802, 5.1: names are compared in their prepared form. One that cannot be prepared is only itself. */
function preparedName(name: string): string {
  return saslPrep(name) ?? name;
}
