import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { removeIfThere, stagingPath } from './leftovers.js';
import { osErrorCode } from './os-error.js';
import { folderOf } from './sibling-path.js';

/**
 * Whole files, or nothing: the content goes to a sibling file that takes the place of the old one when it is on the disk
 * (P-19). Everything here is synchronous, so no signal handler runs in the middle.
 */

const PRIVATE_MODE = 0o600;
const PERMISSION_BITS = 0o7777;

/** Codes for which a folder or file cannot be replaced, although it may be written into. */
const NOT_REPLACEABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV', 'ENAMETOOLONG', 'EINVAL']);
/** Codes of file systems without hard links. */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Creates a file with mode 0600 whatever the umask is; never replaces one.
 *
 * @throws the operating system's error, `EEXIST` where something is there already.
 */
export function createFile(path: Buffer, content: Buffer): void {
  const sibling = writeSibling(path, content, undefined);
  try {
    linkSync(sibling, path);
  } catch (error) {
    if (!NO_HARD_LINKS.has(osErrorCode(error) ?? '')) throw error;
    // The name is taken by an empty file of our own, so that nobody else's is replaced.
    closeSync(openSync(path, 'wx', PRIVATE_MODE));
    renameSync(sibling, path);
  } finally {
    removeIfThere(sibling);
  }
  syncFolder(path);
}

/**
 * Replaces a file, keeping its mode and owner.
 *
 * @returns false where that is not possible and nothing was changed: the folder is not writable, the file is a mount
 * point or has further hard links, or its owner cannot be given to another file.
 * @throws the operating system's error; nothing was changed then either.
 */
export function replaceFile(path: Buffer, content: Buffer, stats: Stats): boolean {
  if (stats.nlink > 1) return false;
  try {
    const sibling = writeSibling(path, content, stats);
    try {
      renameSync(sibling, path);
    } catch (error) {
      unlinkSync(sibling);
      throw error;
    }
  } catch (error) {
    if (NOT_REPLACEABLE.has(osErrorCode(error) ?? '')) return false;
    throw error;
  }
  syncFolder(path);
  return true;
}

/** Writes a new file through to the disk. Removes it again where that fails. */
export function writeNew(path: Buffer, content: Buffer, like: Stats | undefined): void {
  const descriptor = openSync(path, 'wx', PRIVATE_MODE);
  try {
    // Owner first: changing it may clear mode bits. And both before there is anything to read.
    if (like !== undefined) takeOwner(descriptor, like);
    fchmodSync(descriptor, like === undefined ? PRIVATE_MODE : like.mode & PERMISSION_BITS);
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function writeSibling(path: Buffer, content: Buffer, like: Stats | undefined): Buffer {
  const sibling = stagingPath(path);
  writeNew(sibling, content, like);
  return sibling;
}

function takeOwner(descriptor: number, like: Stats): void {
  const own = fstatSync(descriptor);
  if (own.uid !== like.uid || own.gid !== like.gid) fchownSync(descriptor, like.uid, like.gid);
}

// The new name is on the disk only when the folder is. Some systems cannot open folders; there it has to be enough.
function syncFolder(path: Buffer): void {
  let descriptor: number;
  try {
    descriptor = openSync(folderOf(path), 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if (osErrorCode(error) === undefined) throw error;
  } finally {
    closeSync(descriptor);
  }
}
