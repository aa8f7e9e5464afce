import { availableParallelism } from 'node:os';
import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import {
  formatScramCredential,
  hashPassword,
  makeScramCredential,
  SCRAM_KIND,
  setHashConcurrency,
} from '@tsmqtt/credentials';
import type { CredentialSettings } from './credential-kind.js';
import { Failure, Interrupted } from './failure.js';

/** Exit code where a password cannot be hashed as asked (cli §18.8). */
const UNHASHABLE = 10;

/** A password, and the line that it stands in. */
export interface NumberedPassword {
  readonly line: number;
  readonly password: Buffer;
}

/** Says once a run that Mosquitto does not read what will be written (P-15). */
export function warnAboutReaders({ kind }: CredentialSettings, io: Io): void {
  if (kind === 'bcrypt') {
    io.stderr.write('Warning: Mosquitto does not read bcrypt hashes; tsmqtt-broker does.\n');
  } else if (kind === SCRAM_KIND) {
    io.stderr.write(
      `Warning: Mosquitto does not read ${SCRAM_KIND} credentials; they are for the scram_file of tsmqtt-broker.\n`,
    );
  }
}

/**
 * Hashes a password. Resolves to the text of the entry.
 *
 * @throws Failure with exit code 10 where the chosen hash cannot take it.
 */
export async function hashOrFail(password: Buffer, settings: CredentialSettings): Promise<string> {
  try {
    return await newSecret(password, settings);
  } catch (error) {
    throw unhashable(messageOf(error));
  }
}

/**
 * Hashes many passwords with every core there is, and resolves to their texts in the same order.
 *
 * @throws Failure with exit code 10 for one that the hash cannot take, naming its line; Interrupted.
 */
export async function hashAllOrFail(
  passwords: readonly NumberedPassword[],
  settings: CredentialSettings,
  signal: AbortSignal,
): Promise<string[]> {
  const cores = availableParallelism();
  setHashConcurrency(cores);
  const hashes: string[] = new Array(passwords.length);
  // All take from one queue, so that none of them waits for the others' slowest.
  const queue = passwords.entries();
  let failed = false;
  const takeFromQueue = async () => {
    for (const [index, { line, password }] of queue) {
      if (signal.aborted) throw new Interrupted();
      if (failed) return;
      try {
        hashes[index] = await newSecret(password, settings);
      } catch (error) {
        failed = true;
        throw unhashable(`line ${line}: ${messageOf(error)}`);
      }
    }
  };
  // One more than there are cores: the next one is there when a core is free.
  await Promise.all(Array.from({ length: cores + 1 }, takeFromQueue));
  return hashes;
}

async function newSecret(password: Buffer, settings: CredentialSettings): Promise<string> {
  const { kind, iterations } = settings;
  const count = iterations === undefined ? {} : { iterations };
  if (kind === SCRAM_KIND) return formatScramCredential(await makeScramCredential(password, count));
  return hashPassword(password, kind === undefined ? count : { kind, ...count });
}

function unhashable(why: string): Failure {
  return new Failure(byteText`Error: Unable to hash password. (${why})\n`, UNHASHABLE);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
