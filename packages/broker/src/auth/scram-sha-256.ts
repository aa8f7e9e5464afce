import { randomBytes, timingSafeEqual } from 'node:crypto';
import { checkScramProof, type ScramFile, type ScramLookup } from '@tsmqtt/credentials';
import type { AuthClient, AuthMethod, AuthStep } from './auth-method.js';
import { type ClientFirst, readClientFinal, readClientFirst } from './scram-messages.js';

const REFUSED: AuthStep = { result: 'refuse' };
const NONCE_LENGTH = 18;

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) over the users of a `scram_file` (broker B-14). The broker never sees a password
 * and does no slow hashing; the client learns that the broker knows its credential.
 *
 * Everything that is wrong is refused alike and, where it can be, at the end only: who does not exist gets a salt, too,
 * always the same one.
 */
export class ScramSha256 implements AuthMethod {
  readonly name = 'SCRAM-SHA-256';
  /** Its users. */
  readonly file: ScramFile;
  readonly #nonce: () => string;

  /** @param nonce the broker's half of a nonce: printable ASCII without commas, never the same twice. */
  constructor(file: ScramFile, nonce: () => string = () => randomBytes(NONCE_LENGTH).toString('base64')) {
    this.file = file;
    this.#nonce = nonce;
  }

  start(_client: AuthClient, data: Uint8Array | undefined): AuthStep {
    // A client that cannot send data with its CONNECT is asked for it (RFC 4422, 5).
    if (data === undefined) {
      return { result: 'challenge', answer: (first) => (first === undefined ? REFUSED : this.#first(first)) };
    }
    return this.#first(data);
  }

  #first(data: Uint8Array): AuthStep {
    const first = readClientFirst(data);
    if (first === undefined) return REFUSED;
    const user = this.file.lookUp(first.username);
    const { credential } = user;
    const nonce = first.nonce + this.#nonce();
    const salt = Buffer.from(credential.salt).toString('base64');
    const challenge = `r=${nonce},s=${salt},i=${credential.iterations}`;
    return {
      result: 'challenge',
      data: Buffer.from(challenge),
      answer: (final) => (final === undefined ? REFUSED : this.#final(first, user, nonce, challenge, final)),
    };
  }

  #final(
    first: ClientFirst,
    user: ScramLookup,
    nonce: string,
    challenge: string,
    data: Uint8Array,
  ): AuthStep {
    const final = readClientFinal(data);
    if (final?.nonce !== nonce || final.binding !== Buffer.from(first.header).toString('base64')) {
      return REFUSED;
    }
    const { credential, known, name } = user;
    const signed = `${first.bare},${challenge},${final.withoutProof}`;
    const signature = checkScramProof(credential, signed, final.proof);
    // Nobody acts for somebody else.
    const itself =
      first.authorizationId === undefined || this.file.lookUp(first.authorizationId).name === name;
    if (signature === undefined || !known || !itself) return REFUSED;
    return {
      result: 'accept',
      username: name,
      data: Buffer.from(`v=${signature.toString('base64')}`),
      evidence: credential.storedKey,
    };
  }

  /** Who is gone from the file or has another password there would not get in any more (broker §4.8). */
  stillAccepts(username: string | undefined, evidence: unknown): boolean {
    if (username === undefined || !(evidence instanceof Uint8Array)) return false;
    const { credential, known } = this.file.lookUp(username);
    return known && timingSafeEqual(credential.storedKey, evidence);
  }
}
