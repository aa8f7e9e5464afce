import { byteText } from '@tsmqtt/cli-kit/program';
import {
  HASH_KINDS,
  type HashKind,
  looksHashed,
  looksLikeScram,
  type PasswordFile,
  SCRAM_KIND,
} from '@tsmqtt/credentials';
import { Failure } from './failure.js';

/** What `-H` takes: the hashes of a password file, and the credentials that have a file of their own (broker B-14). */
export const CREDENTIAL_KINDS = [...HASH_KINDS, SCRAM_KIND] as const;

/** Name of a hash or credential, as `-H` takes it. */
export type CredentialKind = HashKind | typeof SCRAM_KIND;

/** How to make new entries. */
export interface CredentialSettings {
  /** Default `sha512-pbkdf2`. */
  readonly kind?: CredentialKind;
  readonly iterations?: number;
}

/**
 * A broker reads SCRAM credentials from one file and password hashes from another, and refuses a file that holds both.
 *
 * @throws Failure where new entries of this kind would make such a file. Plain text is neither: `-U` may still hash it.
 */
export function rejectMixedKinds(file: PasswordFile, path: Buffer, { kind }: CredentialSettings): void {
  const scramWanted = kind === SCRAM_KIND;
  for (const { secret, line } of file.entries()) {
    const isScram = looksLikeScram(secret);
    if (scramWanted && !isScram && looksHashed(secret)) {
      throw new Failure(
        byteText`Error: ${path} holds password hashes (line ${line}); ${SCRAM_KIND} credentials need a file of their own.\n`,
      );
    }
    if (!scramWanted && isScram) {
      throw new Failure(
        byteText`Error: ${path} holds ${SCRAM_KIND} credentials (line ${line}), no password hashes; use -H ${SCRAM_KIND}, or another file.\n`,
      );
    }
  }
}
