import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import { PasswordFile } from '@tsmqtt/credentials';
import { MAX_PASSWORD_LENGTH } from './arguments.js';
import { type CredentialSettings, rejectMixedKinds } from './credential-kind.js';
import { createPasswordFile, editPasswordFile, notCreated } from './edit-password-file.js';
import { Failure, Interrupted } from './failure.js';
import { hashAllOrFail, warnAboutReaders } from './hash-or-fail.js';
import { readAll } from './password-input.js';
import { openPasswordFile, resolvePath } from './password-path.js';
import { printResult } from './print-result.js';
import { isStdout, placeToCreate } from './set-password.js';
import { usernameProblem } from './username.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;

/** What `--import` is to do. */
export interface Import {
  readonly path: Buffer;
  /** Into a new file. */
  readonly create: boolean;
  readonly settings: CredentialSettings;
}

interface NewUser {
  /** Line of stdin, from 1. */
  readonly line: number;
  readonly username: Buffer;
  readonly password: Buffer;
}

/**
 * `tsmqtt-passwd --import FILE`: adds or changes every user of the lines `USERNAME:PASSWORD` on stdin, in one write,
 * and says how many of each. A line that is wrong stops it before anything is written.
 */
export async function importUsers(work: Import, io: Io, signal: AbortSignal): Promise<void> {
  const { create, settings } = work;
  const toStdout = create && isStdout(work.path);
  const path = create ? placeForNew(work.path, io) : resolvePath(work.path).path;
  // What is wrong with the file is said before the work begins.
  if (!create) rejectMixedKinds(openPasswordFile(path, 'edit', io), path, settings);
  const users = parseUsers(await readAll(io.stdin, signal));
  warnAboutReaders(settings, io);
  const hashes = await hashAllOrFail(users, settings, signal);
  const setAll = (file: PasswordFile) => {
    const results = users.map(({ username }, index) => file.set(username, hashes[index]!));
    const added = results.filter((result) => result === 'added').length;
    return { added, updated: results.length - added };
  };
  let done: { added: number; updated: number };
  if (create) {
    const file = PasswordFile.parse(Buffer.alloc(0));
    done = setAll(file);
    if (toStdout) {
      if (signal.aborted) throw new Interrupted();
      await printResult(io, file.toBytes());
      return;
    }
    await createPasswordFile(path, file.toBytes(), io, signal);
  } else {
    done = await editPasswordFile(path, io, signal, (file) => {
      rejectMixedKinds(file, path, settings);
      return setAll(file);
    });
  }
  io.stdout.write(`Added ${done.added} ${done.added === 1 ? 'user' : 'users'}, updated ${done.updated}.\n`);
}

function placeForNew(given: Buffer, io: Io): Buffer {
  if (isStdout(given)) return given;
  const path = placeToCreate(given, io);
  if (resolvePath(given).exists) throw notCreated(path, 'File exists');
  return path;
}

// A list that is empty is more likely one that failed to be made than one that is meant.
function parseUsers(input: Buffer): NewUser[] {
  const users: NewUser[] = [];
  const seen = new Map<string, number>();
  for (const [index, text] of linesOf(input).entries()) {
    if (text.length === 0) continue;
    const line = index + 1;
    const user = parseUser(text, line);
    const key = user.username.toString('latin1');
    const before = seen.get(key);
    if (before !== undefined)
      throw badLine(line, byteText`User ${user.username} stands in line ${before} already.`);
    seen.set(key, line);
    users.push(user);
  }
  if (users.length === 0) throw new Failure(byteText`Error: No users on stdin.\n`);
  return users;
}

function parseUser(text: Buffer, line: number): NewUser {
  const colon = text.indexOf(COLON);
  if (colon === -1) throw badLine(line, "There is no ':' between username and password.");
  const username = text.subarray(0, colon);
  const password = text.subarray(colon + 1);
  const problem = usernameProblem(username) ?? passwordProblem(password);
  if (problem !== undefined) throw badLine(line, problem);
  return { line, username, password };
}

function passwordProblem(password: Buffer): string | undefined {
  if (password.length === 0) return 'Empty password.';
  if (password.includes(0)) return 'Password must not contain NUL.';
  if (password.length > MAX_PASSWORD_LENGTH) return 'Password must be less than 65536 characters long.';
  return undefined;
}

/** Without their ends, LF or CR LF. */
function linesOf(input: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < input.length; ) {
    const feed = input.indexOf(LINE_FEED, start);
    const stop = feed === -1 ? input.length : feed;
    const end = stop > start && input[stop - 1] === CARRIAGE_RETURN ? stop - 1 : stop;
    lines.push(input.subarray(start, end));
    start = stop + 1;
  }
  return lines;
}

function badLine(line: number, problem: string | Buffer): Failure {
  return new Failure(byteText`Error: Line ${line} of stdin: ${problem}\n`);
}
