import { readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import { Failure, Interrupted } from './failure.js';
import { lockPath, removeIfThere, removeLeftovers } from './leftovers.js';
import { osErrorCode } from './os-error.js';
import { randomSuffix } from './sibling-path.js';

/**
 * Two updates at the same time must not lose one of them. The lock is a symbolic link beside the file that points to
 * nowhere: `PID:START:RANDOM:MACHINE`. A link comes into being together with what it says, so a process that is killed
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
 * Waits for the lock of a file, and removes what killed processes left beside it. Returns what gives the lock back.
 *
 * @throws Failure where another process keeps it; Interrupted where `signal` is aborted; the operating system's error
 * where the lock cannot be made, such as on a full disk.
 */
export async function lockFile(path: Buffer, io: Io, signal: AbortSignal): Promise<() => void> {
  const lock = lockPath(path);
  const mine = `${io.pid}:${processState(io.pid)?.start ?? ''}:${randomSuffix()}:${thisMachine()}`;
  for (const deadline = io.now() + PATIENCE; ; ) {
    if (signal.aborted) throw new Interrupted();
    try {
      if (tryLock(lock, mine)) break;
    } catch (error) {
      if (NO_LOCKS_HERE.has(osErrorCode(error) ?? '')) return () => {};
      throw error;
    }
    const owner = readLock(lock);
    if (owner === undefined) continue;
    if (isGone(owner) && takeAway(lock, owner, mine)) continue;
    if (io.now() > deadline) {
      throw new Failure(byteText`Error: ${path} is locked by another process (${owner}, see ${lock}).\n`);
    }
    await delay(POLL_INTERVAL);
  }
  removeLeftovers(path);
  return () => removeIfThere(lock);
}

/** Name of this machine, and on Linux of the set of process numbers that is seen from here: containers have others. */
export function thisMachine(): string {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** False where somebody has it. */
function tryLock(lock: Buffer, mine: string): boolean {
  try {
    symlinkSync(mine, lock);
    return true;
  } catch (error) {
    if (osErrorCode(error) === 'EEXIST') return false;
    throw error;
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

/**
 * Removes the lock of a process that has ended. Of several that see it, one at a time may: it needs a second lock,
 * which is named after the dead owner, and looks again when it has that. So nobody removes the lock of a living one. A
 * second lock whose owner was killed is removed in the same way.
 *
 * @returns false where another process is about it.
 */
function takeAway(lock: Buffer, deadOwner: string, mine: string): boolean {
  const right = Buffer.concat([lock, Buffer.from(`.${ownerOf(deadOwner)!.random}`)]);
  if (!tryLock(right, mine)) {
    const other = readLock(right);
    return other === undefined || (isGone(other) && takeAway(right, other, mine));
  }
  try {
    if (readLock(lock) === deadOwner) removeIfThere(lock);
  } finally {
    removeIfThere(right);
  }
  return true;
}

interface Owner {
  readonly pid: number;
  readonly start: string;
  readonly random: string;
  readonly machine: string;
}

function ownerOf(text: string): Owner | undefined {
  const match = /^([1-9]\d*):(\d*):([A-Za-z0-9]{6}):(.*)$/.exec(text);
  if (match === null) return undefined;
  return { pid: Number(match[1]), start: match[2]!, random: match[3]!, machine: match[4]! };
}

/** Whether the process that made a lock has ended. Of other machines nothing is known. */
function isGone(text: string): boolean {
  const owner = ownerOf(text);
  if (owner === undefined || owner.machine !== thisMachine()) return false;
  try {
    kill(owner.pid, 0);
  } catch (error) {
    // EPERM: somebody else's, and alive.
    return osErrorCode(error) === 'ESRCH';
  }
  const state = processState(owner.pid);
  return state !== undefined && (state.ended || state.start !== owner.start);
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
