import { readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { byteText, type Io } from '@tsmqtt/cli-kit';
import { Failure, Interrupted } from './failure.js';
import { osErrorCode } from './os-error.js';
import { baseNameOf, folderOf, pathIn, randomSuffix } from './sibling-path.js';

/**
 * Two updates at the same time must not lose one of them. The lock is a symbolic link beside the file that points to
 * nowhere: `PID:START:RANDOM:HOST`. A link comes into being together with what it says, so a process that is killed
 * at any moment leaves either nothing or a lock that tells whose it was, and which is taken over (P-30).
 */

/** An update holds the lock for some milliseconds; whoever holds it this long has been stopped. Milliseconds. */
const PATIENCE = 10_000;
const POLL_INTERVAL = 20;

/** The folder takes no lock: then there is none, as in the reference. */
const NO_LOCKS_HERE = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENAMETOOLONG',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/**
 * Waits for the lock of a file. Returns what gives it back.
 *
 * @throws Failure where another process keeps it; Interrupted where `signal` is aborted.
 */
export async function lockFile(path: Buffer, io: Io, signal: AbortSignal): Promise<() => void> {
  const lock = pathIn(
    folderOf(path),
    Buffer.concat([Buffer.from('.'), baseNameOf(path), Buffer.from('.lock')]),
  );
  const mine = `${io.pid}:${processState(io.pid)?.start ?? ''}:${randomSuffix()}:${hostname()}`;
  for (const deadline = io.now() + PATIENCE; ; ) {
    if (signal.aborted) throw new Interrupted();
    try {
      symlinkSync(mine, lock);
      return () => giveBack(lock);
    } catch (error) {
      const code = osErrorCode(error) ?? '';
      if (NO_LOCKS_HERE.has(code)) return () => {};
      if (code !== 'EEXIST') throw error;
    }
    const owner = readLock(lock);
    if (owner === undefined) continue;
    if (isGone(owner)) {
      takeAway(lock, owner);
      continue;
    }
    if (io.now() > deadline) {
      throw new Failure(byteText`Error: ${path} is locked by another process (${owner}, see ${lock}).\n`);
    }
    await delay(POLL_INTERVAL);
  }
}

function giveBack(lock: Buffer): void {
  try {
    unlinkSync(lock);
  } catch (error) {
    // Somebody has tidied up; the lock is not held either way.
    if (osErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** What the lock says; `undefined` where it has just been given back. */
function readLock(lock: Buffer): string | undefined {
  try {
    return readlinkSync(lock, 'utf8');
  } catch (error) {
    if (osErrorCode(error) === 'ENOENT') return undefined;
    // Not one of ours.
    if (osErrorCode(error) === 'EINVAL') return '';
    throw error;
  }
}

// Of several that see the same dead owner, one gets to move the lock. Should it have moved the lock of somebody who was
// quicker, that one gets it back.
function takeAway(lock: Buffer, deadOwner: string): void {
  const aside = Buffer.concat([lock, Buffer.from(`.${randomSuffix()}`)]);
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (osErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = readlinkSync(aside, 'utf8');
  if (moved !== deadOwner) {
    try {
      symlinkSync(moved, lock);
    } catch (error) {
      if (osErrorCode(error) !== 'EEXIST') throw error;
    }
  }
  unlinkSync(aside);
}

/** Whether the process that made a lock has ended. Of other machines nothing is known. */
function isGone(owner: string): boolean {
  const match = /^([1-9]\d*):(\d*):[^:]*:(.*)$/.exec(owner);
  if (match === null || match[3] !== hostname()) return false;
  const pid = Number(match[1]);
  try {
    kill(pid, 0);
  } catch (error) {
    // EPERM: somebody else's, and alive.
    return osErrorCode(error) === 'ESRCH';
  }
  const state = processState(pid);
  return state !== undefined && (state.ended || state.start !== match[2]);
}

/** Start time and end of a process, as Linux tells them; numbers of processes are used again. */
function processState(pid: number): { readonly start: string; readonly ended: boolean } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name, in parentheses, may hold blanks; state is field 3 and start time field 22 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { start: fields[19] ?? '', ended: fields[0] === 'Z' || fields[0] === 'X' };
}
