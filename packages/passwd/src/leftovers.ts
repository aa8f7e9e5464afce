import { createHash } from 'node:crypto';
import { readdirSync, unlinkSync } from 'node:fs';
import { osErrorCode } from './os-error.js';
import { baseNameOf, folderOf, pathIn, randomSuffix } from './sibling-path.js';

/**
 * Names of what stands beside a password file while it is changed. A process that is killed may leave such a file
 * behind; they are told from others by their names, and whoever holds the lock next removes them.
 */

const RANDOM = '[A-Za-z0-9]{6}';

/** Path of the lock of a file. */
export function lockPath(path: Buffer): Buffer {
  return pathIn(folderOf(path), Buffer.concat([Buffer.from('.'), baseNameOf(path), Buffer.from('.lock')]));
}

/** Path of a new file that is to take the place of `path`. */
export function stagingPath(path: Buffer): Buffer {
  return pathIn(folderOf(path), `${stagingPrefix(path)}${randomSuffix()}`);
}

/** Removes what killed processes left beside a file, as far as that is possible. Only for who holds its lock. */
export function removeLeftovers(path: Buffer): void {
  const folder = folderOf(path);
  const lock = escapeRegExp(baseNameOf(lockPath(path)).toString('latin1'));
  const mine = new RegExp(`^(?:${escapeRegExp(stagingPrefix(path))}|${lock}\\.)${RANDOM}$`);
  try {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      if (mine.test(name.toString('latin1'))) removeIfThere(pathIn(folder, name));
    }
  } catch (error) {
    // A folder that cannot be read, or somebody else's file in a folder like /tmp: it is in nobody's way.
    if (osErrorCode(error) === undefined) throw error;
  }
}

/** Removes a file that somebody else may have removed already. */
export function removeIfThere(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (osErrorCode(error) !== 'ENOENT') throw error;
  }
}

// The file's own name may be as long as names can be, so only a digest of it stands in this one.
function stagingPrefix(path: Buffer): string {
  return `.tsmqtt-passwd.${createHash('sha256').update(baseNameOf(path)).digest('hex').slice(0, 8)}.`;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
