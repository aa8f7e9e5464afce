import { chmod, lstat, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What may connect: the broker's user and its group (broker §10.2). */
const MODE = 0o770;

/** Longest path of a Unix socket in bytes on Linux; longer ones would be cut off without a word. */
const LONGEST_PATH = 107;

/**
 * Removes what an earlier broker left behind. A file that is no socket stays, and then listening fails.
 * Rejects with `ENOENT` where its folder is missing, which listening would call a lack of permission.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw Object.assign(new Error('path too long'), {
      code: 'ENAMETOOLONG',
      syscall: 'listen',
      address: path,
    });
  }
  await stat(dirname(path));
  try {
    if ((await lstat(path)).isSocket()) await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

export async function shareUnixSocket(path: string): Promise<void> {
  await chmod(path, MODE);
}
