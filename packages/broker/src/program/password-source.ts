import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { PasswordFileError, PasswordVerifier } from '@tsmqtt/credentials';
import type { Log } from '../log/log.js';
import { ProgramError } from './program-error.js';

/** Rules for files that hold secrets (contract broker §4.8). */
export interface SecretFileRules {
  /** The last part of the path may be a symbolic link. */
  readonly followSymlinks: boolean;
  /** User id of the broker; other owners are warned about. Undefined: the system has no such ids. */
  readonly userId: number | undefined;
}

/**
 * Loads a password file.
 *
 * @throws ProgramError 13 where it cannot be opened, 3 for what it holds.
 */
export async function loadPasswords(
  path: string,
  rules: SecretFileRules,
  log: Log,
): Promise<PasswordVerifier> {
  const content = await readSecretFile(path, rules, log);
  try {
    return PasswordVerifier.fromText(content, path, {
      onError: (error, username) => {
        log.error(`Error: Unable to check the password of user '${username}': ${(error as Error).message}.`);
      },
    });
  } catch (error) {
    if (error instanceof PasswordFileError) throw new ProgramError(3, [error.message]);
    throw error;
  }
}

async function readSecretFile(path: string, rules: SecretFileRules, log: Log): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    if (!rules.followSymlinks && (await lstat(path)).isSymbolicLink()) {
      throw new Error('it is a symbolic link; set MOSQUITTO_UNSAFE_ALLOW_SYMLINKS to allow that');
    }
    // O_NOFOLLOW closes the gap between that look and this.
    const noFollow = rules.followSymlinks ? 0 : (constants.O_NOFOLLOW ?? 0);
    file = await open(path, constants.O_RDONLY | noFollow);
  } catch (error) {
    throw unopened(path, error);
  }
  try {
    const { mode, uid } = await file.stat();
    const content = await file.readFile();
    if (rules.userId === undefined) return content;
    if ((mode & 0o004) !== 0) log.warning(`Warning: File ${path} has world readable permissions.`);
    if (uid !== rules.userId)
      log.warning(`Warning: File ${path} is not owned by the user the broker runs as.`);
    return content;
  } catch (error) {
    throw unopened(path, error);
  } finally {
    await file.close();
  }
}

function unopened(path: string, error: unknown): ProgramError {
  return new ProgramError(13, [`Error: Unable to open pwfile "${path}". (${(error as Error).message})`]);
}
