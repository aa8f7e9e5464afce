import { createHash, hkdfSync, randomBytes } from 'node:crypto';
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
  /** Iterations and lengths of salts that users have, each once. */
  private readonly shapes: readonly Shape[];
  /**
   * Secret that credentials of unknown users are made of. It comes from the file as it was first read, so that neither a
   * reload nor a restart tells who is unknown by other salts.
   */
  private readonly decoyKey: Buffer;

  private constructor(credentials: ReadonlyMap<string, ScramCredential>, before: ScramFile | undefined) {
    this.credentials = credentials;
    const all = [...credentials.values()];
    const shapes = all.map(({ iterations, salt: { length } }) => shapeOf(iterations, length));
    this.shapes = [...new Map(shapes.map((shape) => [shape.text, shape])).values()];
    this.decoyKey = before?.decoyKey ?? decoyKeyOf(all);
  }

  /**
   * Reads the content of a `scram_file`, by the same rules as a password file (broker §4.2).
   *
   * @param path the file's name, for the errors.
   * @param before what the file held before a reload: unknown users meet the same salts as then.
   * @throws ScramFileError for the first line with an empty name, a credential that cannot be decoded (hashes of other
   * kinds among them), or a user for the second time.
   */
  static fromText(content: string | Uint8Array, path: string, before?: ScramFile): ScramFile {
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
    return new ScramFile(credentials, before);
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

  // Of the shapes that users have, the one whose rank for this name is highest: it stays as long as users have it.
  private decoy(name: string): ScramCredential {
    const bytes = (purpose: string, length: number) =>
      Buffer.from(hkdfSync('sha256', this.decoyKey, name, purpose, length));
    const ranked = this.shapes.map((shape) => ({
      shape,
      rank: bytes(`like ${shape.text}`, 4).readUInt32BE(0),
    }));
    const { text, iterations, length } =
      ranked.sort((one, other) => other.rank - one.rank)[0]?.shape ?? SHAPE_OF_NEW_USERS;
    return {
      iterations,
      // With another shape it is another salt, as after a change of a password.
      salt: bytes(`salt ${text}`, length),
      storedKey: bytes('stored key', SCRAM_KEY_LENGTH),
      serverKey: bytes('server key', SCRAM_KEY_LENGTH),
    };
  }
}

/** What everybody sees of a credential. */
interface Shape {
  readonly text: string;
  readonly iterations: number;
  /** Of the salt. */
  readonly length: number;
}

function shapeOf(iterations: number, length: number): Shape {
  return { text: `${iterations} ${length}`, iterations, length };
}

const SHAPE_OF_NEW_USERS = shapeOf(DEFAULT_ITERATIONS, SCRAM_SALT_LENGTH);

/** A file without users holds no secret. */
function decoyKeyOf(credentials: readonly ScramCredential[]): Buffer {
  if (credentials.length === 0) return randomBytes(SCRAM_KEY_LENGTH);
  const secrets = createHash('sha256');
  for (const { serverKey } of credentials) secrets.update(serverKey);
  return secrets.digest();
}

/** RFC 5802, 5.1: names are compared in their prepared form. One that cannot be prepared is only itself. */
function preparedName(name: string): string {
  return saslPrep(name) ?? name;
}
