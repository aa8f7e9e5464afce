import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import {
  parsePasswordHash,
  parseScramCredential,
  verifyPassword,
  verifyScramPassword,
} from '@tsmqtt/credentials';
import type { PasswordSource } from './arguments.js';
import { editPasswordFile } from './edit-password-file.js';
import { Failure } from './failure.js';
import { existingPassword } from './password-input.js';
import { openPasswordFile, resolvePath } from './password-path.js';
import { printResult } from './print-result.js';

/** `tsmqtt-passwd -D FILE USERNAME`: removes all lines of the user (cli §18.6). */
export async function deleteUser(
  givenPath: Buffer,
  username: Buffer,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const { path } = resolvePath(givenPath);
  openPasswordFile(path, 'edit', io);
  const removed = await editPasswordFile(path, io, signal, (file) => file.remove(username));
  if (removed === 0) throw notFound(username);
}

/** `tsmqtt-passwd --verify FILE USERNAME` (P-17). Throws Failure unless the password is right. */
export async function verifyUser(
  givenPath: Buffer,
  username: Buffer,
  source: PasswordSource,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const entry = openPasswordFile(resolvePath(givenPath).path, 'read', io).find(username);
  if (entry === undefined) throw notFound(username);
  const check = checkOf(entry.secret);
  if (check === undefined) {
    throw new Failure(byteText`Error: Unable to decode the hash at line ${entry.line}.\n`);
  }
  if (!(await check(await existingPassword(source, io, signal)))) {
    throw new Failure(byteText`Error: Wrong password for user ${username}.\n`);
  }
}

/** `tsmqtt-passwd --list FILE`: the names, one a line, each once (P-17). */
export async function listUsers(givenPath: Buffer, io: Io): Promise<void> {
  const names = new Map<string, Buffer>();
  for (const { name } of openPasswordFile(resolvePath(givenPath).path, 'read', io).entries()) {
    names.set(name.toString('latin1'), name);
  }
  if (names.size === 0) return;
  await printResult(io, Buffer.concat([...names.values()].map((name) => byteText`${name}\n`)));
}

function checkOf(secret: string): ((password: Buffer) => Promise<boolean>) | undefined {
  const credential = parseScramCredential(secret);
  if (credential !== undefined) return (password) => verifyScramPassword(password, credential);
  const hash = parsePasswordHash(secret);
  return hash && ((password) => verifyPassword(password, hash));
}

function notFound(username: Buffer): Failure {
  return new Failure(byteText`Warning: User ${username} not found in password file.\n`);
}
