import { lstatSync, readlinkSync } from 'node:fs';
import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import type { PasswordSource } from './arguments.js';
import { type CredentialSettings, rejectMixedKinds } from './credential-kind.js';
import { createPasswordFile, editPasswordFile } from './edit-password-file.js';
import { Interrupted } from './failure.js';
import { hashOrFail, warnAboutReaders } from './hash-or-fail.js';
import { osErrorCode } from './os-error.js';
import { newPassword } from './password-input.js';
import { openPasswordFile, resolvePath } from './password-path.js';
import { printResult } from './print-result.js';
import { folderOf, pathIn } from './sibling-path.js';

/** One user's new password. */
export interface PasswordChange {
  readonly path: Buffer;
  readonly username: Buffer;
  readonly source: PasswordSource;
  readonly settings: CredentialSettings;
}

/** `tsmqtt-passwd FILE USERNAME`: adds the user or changes the password (cli §18.6). */
export async function setPassword(change: PasswordChange, io: Io, signal: AbortSignal): Promise<void> {
  const { username, source, settings } = change;
  const { path } = resolvePath(change.path);
  // What is wrong with the file is said before anybody types a password.
  rejectMixedKinds(openPasswordFile(path, 'edit', io), path, settings);
  const password = await newPassword(source, io, signal);
  warnAboutReaders(settings, io);
  const hash = await hashOrFail(password, settings);
  const done = await editPasswordFile(path, io, signal, (file) => {
    rejectMixedKinds(file, path, settings);
    return file.set(username, hash);
  });
  io.stdout.write(byteText`${done === 'added' ? 'Adding' : 'Updating'} password for user ${username}\n`);
}

/** `tsmqtt-passwd -c FILE USERNAME`: a new file with one user; `-` writes the entry to stdout (cli §18.5). */
export async function setFirstPassword(change: PasswordChange, io: Io, signal: AbortSignal): Promise<void> {
  const { username, source, settings } = change;
  const toStdout = isStdout(change.path);
  const path = toStdout ? change.path : placeToCreate(change.path, io);
  const password = await newPassword(source, io, signal);
  warnAboutReaders(settings, io);
  const entry = byteText`${username}:${await hashOrFail(password, settings)}\n`;
  if (signal.aborted) throw new Interrupted();
  if (toStdout) {
    await printResult(io, entry);
    return;
  }
  await createPasswordFile(path, entry, io, signal);
  io.stdout.write(byteText`Adding password for user ${username}\n`);
}

/** Whether a FILE to create stands for stdout. */
export function isStdout(path: Buffer): boolean {
  return path.toString('latin1') === '-';
}

/**
 * Where to create a file. A symbolic link to nowhere is refused by the exclusive creation, unless the user has allowed
 * links (cli §18.5).
 */
export function placeToCreate(given: Buffer, io: Io): Buffer {
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
