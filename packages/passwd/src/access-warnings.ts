import { readFileSync, type Stats } from 'node:fs';
import { userInfo } from 'node:os';
import { byteText } from '@tsmqtt/cli-kit/program';

const WORLD_BITS = 0o007;
const FUTURE = 'Future versions will refuse to load this file.';

/** The warnings about a password file that others may read or own (cli §18.6); they do not stop anything. */
export function accessWarnings(path: Buffer, stats: Stats): Buffer {
  const warnings: Buffer[] = [];
  if ((stats.mode & WORLD_BITS) !== 0) {
    warnings.push(byteText`Warning: File ${path} has world readable permissions. ${FUTURE}
To fix this, use \`chmod 0700 ${path}\`.
`);
  }
  const user = currentUser();
  if (user !== undefined && stats.uid !== user.uid) {
    // The missing line break is the reference's.
    warnings.push(
      byteText`Warning: File ${path} owner is not ${user.username}. ${FUTURE}To fix this, use \`chown ${user.username} ${path}\`.\n`,
    );
  }
  if (user !== undefined && stats.gid !== user.gid) {
    warnings.push(byteText`Warning: File ${path} group is not ${groupName(user.gid)}. ${FUTURE}\n`);
  }
  return Buffer.concat(warnings);
}

// Windows has no owners of this kind (-1), and a container's user may have no entry: then there is nothing to compare.
function currentUser():
  | { readonly uid: number; readonly gid: number; readonly username: string }
  | undefined {
  try {
    const user = userInfo();
    return user.uid === -1 ? undefined : user;
  } catch {
    return undefined;
  }
}

function groupName(gid: number): string {
  try {
    const row = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .find((fields) => fields[2] === String(gid));
    return row?.[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}
