import { byteText, type Io } from '@tsmqtt/cli-kit';
import type { PasswordFile } from '@tsmqtt/credentials';
import { Failure } from './failure.js';
import { lockFile } from './file-lock.js';
import { osErrorText } from './os-error.js';
import { parseContent, readSnapshot } from './password-path.js';
import { replaceFile } from './write-file.js';
import { writeInPlace } from './write-in-place.js';

/**
 * Reads the file, lets `edit` change it, and writes it back if that made a difference, all under the file's lock.
 * Reading and writing are one synchronous step; what takes time (asking, hashing) is done before.
 *
 * @returns what `edit` returned.
 * @throws Failure where the file cannot be read or written, or is corrupt; then it is as it was, but see
 * `writeInPlace`. Interrupted where `signal` is aborted.
 */
export async function editPasswordFile<T>(
  path: Buffer,
  io: Io,
  signal: AbortSignal,
  edit: (file: PasswordFile) => T,
): Promise<T> {
  const unlock = await lockFile(path, io, signal);
  try {
    return rewrite(path, io, edit);
  } finally {
    unlock();
  }
}

function rewrite<T>(path: Buffer, io: Io, edit: (file: PasswordFile) => T): T {
  const { content, stats } = readSnapshot(path, 'edit');
  const file = parseContent(content);
  const result = edit(file);
  const edited = file.toBytes();
  if (edited.equals(content)) return result;
  let replaced: boolean;
  try {
    replaced = replaceFile(path, edited, stats);
  } catch (error) {
    throw new Failure(byteText`Error occurred updating password file. (${osErrorText(error)})\n`);
  }
  if (!replaced) writeInPlace(path, content, edited, io);
  return result;
}
