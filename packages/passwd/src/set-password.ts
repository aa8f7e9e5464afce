import { lstatSync, readlinkSync } from 'node:fs';
import { byteText, type Io } from '@tsmqtt/cli-kit';
import { type HashSettings, hashPassword } from '@tsmqtt/credentials';
import type { PasswordSource } from './arguments.js';
import { editPasswordFile } from './edit-password-file.js';
import { Failure, Interrupted } from './failure.js';
import { osErrorCode, osErrorText } from './os-error.js';
import { newPassword } from './password-input.js';
import { openPasswordFile, resolvePath } from './password-path.js';
import { folderOf, pathIn } from './sibling-path.js';
import { createFile } from './write-file.js';

/** Exit code where a password cannot be hashed as asked (cli §18.8). */
const UNHASHABLE = 10;

/** One user's new password. */
export interface PasswordChange {
  readonly path: Buffer;
  readonly username: Buffer;
  readonly source: PasswordSource;
  readonly settings: HashSettings;
}

/** `tsmqtt-passwd FILE USERNAME`: adds the user or changes the password (cli §18.6). */
export async function setPassword(change: PasswordChange, io: Io, signal: AbortSignal): Promise<void> {
  const { username, source, settings } = change;
  const { path } = resolvePath(change.path);
  // What is wrong with the file is said before anybody types a password.
  openPasswordFile(path, 'edit', io);
  const password = await newPassword(source, io, signal);
  const hash = await hashOrFail(password, settings, io);
  const done = await editPasswordFile(path, io, signal, (file) => file.set(username, hash));
  io.stdout.write(byteText`${done === 'added' ? 'Adding' : 'Updating'} password for user ${username}\n`);
}

/** `tsmqtt-passwd -c FILE USERNAME`: a new file with one user; `-` writes the entry to stdout (cli §18.5). */
export async function createPasswordFile(change: PasswordChange, io: Io, signal: AbortSignal): Promise<void> {
  const { username, source, settings } = change;
  const toStdout = change.path.toString('latin1') === '-';
  const path = toStdout ? change.path : placeToCreate(change.path, io);
  const password = await newPassword(source, io, signal);
  const entry = byteText`${username}:${await hashOrFail(password, settings, io)}\n`;
  if (signal.aborted) throw new Interrupted();
  if (toStdout) {
    io.stdout.write(entry);
    return;
  }
  try {
    createFile(path, entry);
  } catch (error) {
    throw new Failure(byteText`Error: Unable to open file ${path} for writing. ${osErrorText(error)}.\n`);
  }
  io.stdout.write(byteText`Adding password for user ${username}\n`);
}

/**
 * Hashes a password.
 *
 * @throws Failure with exit code 10 where the chosen hash cannot take it.
 */
export async function hashOrFail(password: Buffer, settings: HashSettings, io: Io): Promise<string> {
  if (settings.kind === 'bcrypt') {
    io.stderr.write('Warning: Mosquitto does not read bcrypt hashes; tsmqtt-broker does.\n');
  }
  try {
    return await hashPassword(password, settings);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(byteText`Error: Unable to hash password. (${why})\n`, UNHASHABLE);
  }
}

// A symbolic link to nowhere is refused by the exclusive creation, unless the user has allowed links (cli §18.5).
function placeToCreate(given: Buffer, io: Io): Buffer {
  const { path, exists } = resolvePath(given);
  if (exists || io.env.MOSQUITTO_UNSAFE_ALLOW_SYMLINKS === undefined) return path;
  try {
    if (!lstatSync(path).isSymbolicLink()) return path;
    const target = readlinkSync(path, { encoding: 'buffer' });
    return target[0] === 0x2f ? target : pathIn(folderOf(path), target);
  } catch (error) {
    if (osErrorCode(error) === undefined) throw error;
    return path;
  }
}
