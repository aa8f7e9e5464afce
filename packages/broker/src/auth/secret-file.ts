import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import type { Log } from '../log/log.js';

/** Rules for files that hold secrets (broker §4.8). */
export interface SecretFileRules {
  /** The last part of the path may be a symbolic link. */
  readonly followSymlinks: boolean;
  /** User id of the broker; other owners are warned about. Undefined: the system has no such ids. */
  readonly userId: number | undefined;
}

/** A file of secrets or access rules that the broker cannot start with. `message` is the first of `lines`. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
  readonly code: 'secret-file-unopened' | 'secret-file-content';
  /** What to log, one line each. */
  readonly lines: readonly string[];
  /** Exit code of the program: 13 where the file cannot be opened, 3 for what it holds (broker §1.2). */
  readonly exitCode: 3 | 13;

  constructor(exitCode: 3 | 13, lines: readonly [string, ...string[]]) {
    super(lines[0]);
    this.code = exitCode === 13 ? 'secret-file-unopened' : 'secret-file-content';
    this.exitCode = exitCode;
    this.lines = lines;
  }
}

/**
 * Reads such a file. Permissions that let others read it are worth a warning.
 *
 * @param noun what the file is, for the error, such as `pwfile`.
 * @throws SecretFileError where it cannot be opened or read.
 */
export async function readSecretFile(
  path: string,
  noun: string,
  rules: SecretFileRules,
  log: Log,
): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    if (!rules.followSymlinks && (await lstat(path)).isSymbolicLink()) {
      throw new Error('it is a symbolic link; set MOSQUITTO_UNSAFE_ALLOW_SYMLINKS to allow that');
    }
    // O_NOFOLLOW closes the gap between that look and this.
    const noFollow = rules.followSymlinks ? 0 : (constants.O_NOFOLLOW ?? 0);
    file = await open(path, constants.O_RDONLY | noFollow);
    const { mode, uid } = await file.stat();
    const content = await file.readFile();
    if (rules.userId === undefined) return content;
    if ((mode & 0o004) !== 0) log.warning(`Warning: File ${path} has world readable permissions.`);
    if (uid !== rules.userId)
      log.warning(`Warning: File ${path} is not owned by the user the broker runs as.`);
    return content;
  } catch (error) {
    throw new SecretFileError(13, [`Error: Unable to open ${noun} "${path}". (${(error as Error).message})`]);
  } finally {
    await file?.close();
  }
}
