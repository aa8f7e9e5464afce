import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { SystemUser } from './io.js';

/** Looks a user up in /etc/passwd, and by name wherever else the system keeps users. */
export function findSystemUser(user: string | number, passwd = '/etc/passwd'): SystemUser | undefined {
  return findInPasswd(user, passwd) ?? (typeof user === 'string' ? askSystem(user) : undefined);
}

function findInPasswd(wanted: string | number, passwd: string): SystemUser | undefined {
  let content: string;
  try {
    content = readFileSync(passwd, 'utf8');
  } catch {
    // Systems without that file have `id`.
    return undefined;
  }
  for (const line of content.split('\n')) {
    const [name = '', , userId, groupId] = line.split(':');
    if (!/^\d+$/.test(userId ?? '') || !/^\d+$/.test(groupId ?? '')) continue;
    if (wanted === (typeof wanted === 'string' ? name : Number(userId))) {
      return { name, userId: Number(userId), groupId: Number(groupId) };
    }
  }
  return undefined;
}

// Directory services are reached through the C library only, and `id` is how a program without it asks.
function askSystem(name: string): SystemUser | undefined {
  if (name.startsWith('-') || /^\d+$/.test(name)) return undefined;
  try {
    const ask = (what: string) =>
      Number(execFileSync('id', [what, name], { encoding: 'ascii', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { name, userId: ask('-u'), groupId: ask('-g') };
  } catch {
    // `id` exits 1 for a user that does not exist.
    return undefined;
  }
}
