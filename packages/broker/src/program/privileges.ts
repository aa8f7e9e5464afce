import { chownSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BrokerIo, SystemUser } from './io.js';
import { ProgramError } from './program-error.js';

/** Users to become when none is named, the first that exists (contract broker §3.1). */
const DEFAULT_USERS = ['mosquitto', 'nobody'] as const;

/**
 * The user to become: none unless started as root. `PUID` stands in for the user, `PGID` for its group.
 *
 * @param named the `user` option.
 * @param warn told when root is kept.
 * @throws ProgramError 3 for a user that does not exist.
 */
export function chooseUser(
  io: BrokerIo,
  named: string | undefined,
  warn: (text: string) => void,
): SystemUser | undefined {
  if (io.userId() !== 0) return undefined;
  const userId = readId('PUID', io.env.PUID);
  const groupId = readId('PGID', io.env.PGID);
  // Never root's group beside another user: it is that user's, or has the same number.
  if (userId !== undefined) {
    return { name: undefined, userId, groupId: groupId ?? io.findUser(userId)?.groupId ?? userId };
  }
  const user = userByName(io, named, warn);
  return groupId === undefined ? user : { name: user?.name, userId: user?.userId, groupId };
}

function userByName(
  io: BrokerIo,
  named: string | undefined,
  warn: (text: string) => void,
): SystemUser | undefined {
  if (named === 'root') {
    warn(`Warning: ${io.programName} should not be run as root/administrator.`);
    return undefined;
  }
  const candidates = named === undefined ? DEFAULT_USERS : [named];
  for (const name of candidates) {
    const user = io.findUser(name);
    if (user !== undefined) return user;
  }
  const wanted = candidates[0]!;
  throw new ProgramError(3, [
    `Error: Unable to drop privileges to '${wanted}' because this user does not exist.`,
  ]);
}

/** @throws ProgramError 3 where the system refuses. */
export function dropPrivileges(io: BrokerIo, user: SystemUser): void {
  try {
    io.becomeUser(user);
  } catch (error) {
    const name = user.name ?? `${user.userId}:${user.groupId}`;
    throw new ProgramError(3, [
      `Error: Unable to drop privileges to '${name}': ${(error as Error).message}.`,
    ]);
  }
}

/**
 * Makes the folder of a pid file directly below /run, which is empty after every boot and where only root may make
 * folders. Debian's stock configuration relies on its service file for that; so it starts without one, too (B-13).
 * Where it cannot be made, writing the pid file says so.
 */
export function prepareRunFolder(pidFile: string, user: SystemUser): string | undefined {
  const folder = dirname(pidFile);
  if (!/^(\/var)?\/run\/[^/.][^/]*$/.test(folder)) return undefined;
  try {
    mkdirSync(folder, { mode: 0o755 });
    chownSync(folder, user.userId ?? 0, user.groupId ?? 0);
    return folder;
  } catch {
    return undefined;
  }
}

function readId(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,10}$/.test(text)) throw new ProgramError(3, [`Error: Invalid ${name} value (${text}).`]);
  return Number(text);
}
