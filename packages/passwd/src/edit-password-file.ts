import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import type { PasswordFile } from '@tsmqtt/credentials';
import { Failure } from './failure.js';
import { lockFile } from './file-lock.js';
import { osErrorCode, osErrorText } from './os-error.js';
import { parseContent, readSnapshot } from './password-path.js';
import { createFile, replaceFile } from './write-file.js';
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
  let unlock: () => void;
  try {
    unlock = await lockFile(path, io, signal);
  } catch (error) {
    if (osErrorCode(error) === undefined) throw error;
    throw new Failure(byteText`Error: Unable to lock password file ${path}. ${osErrorText(error)}.\n`);
  }
  try {
    return rewrite(path, io, edit);
  } finally {
    unlock();
  }
}

/**
 * Creates a file with this content, under its lock, too.
 *
 * @throws Failure where it is there already or cannot be created. Interrupted where `signal` is aborted.
 */
export async function createPasswordFile(
  path: Buffer,
  content: Buffer,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  try {
    const unlock = await lockFile(path, io, signal);
    try {
      createFile(path, content);
    } finally {
      unlock();
    }
  } catch (error) {
    if (osErrorCode(error) === undefined) throw error;
    throw notCreated(path, osErrorText(error));
  }
}

/** The error of a file that cannot be created (cli §18.5). */
export function notCreated(path: Buffer, why: string): Failure {
  return new Failure(byteText`Error: Unable to open file ${path} for writing. ${why}.\n`);
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
