import { closeSync, fsyncSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import { Failure } from './failure.js';
import { osErrorCode, osErrorText } from './os-error.js';
import { baseNameOf, pathIn, randomSuffix } from './sibling-path.js';
import { writeNew } from './write-file.js';

/**
 * Writes into an existing file, which keeps its inode. That cannot be all or nothing; the backup is the promise (P-30).
 *
 * @throws Failure where the backup cannot be made (nothing was changed) or the writing failed (the backup is kept).
 */
export function writeInPlace(path: Buffer, previous: Buffer, content: Buffer, io: Io): void {
  const backup = makeBackup(path, previous, io);
  try {
    overwrite(path, content);
  } catch (error) {
    throw new Failure(byteText`Error occurred updating password file. (${osErrorText(error)})
Password file may be corrupt, check the backup file: ${backup}.
`);
  }
  unlinkSync(backup);
}

function overwrite(path: Buffer, content: Buffer): void {
  const descriptor = openSync(path, 'r+');
  try {
    for (let written = 0; written < content.length; ) {
      written += writeSync(descriptor, content, written, content.length - written, written);
    }
    ftruncateSync(descriptor, content.length);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

// Beside the file if the folder takes it (cli §18.7); one that is not writable must not prevent the update (P-19).
function makeBackup(path: Buffer, content: Buffer, io: Io): Buffer {
  const name = Buffer.concat([baseNameOf(path), Buffer.from(`.backup.${randomSuffix()}`)]);
  const sibling = path.subarray(0, path.length - baseNameOf(path).length);
  const candidates = [Buffer.concat([sibling, name]), pathIn(Buffer.from(io.env.TMPDIR || '/tmp'), name)];
  for (const candidate of candidates) {
    try {
      writeNew(candidate, content, undefined);
      return candidate;
    } catch (error) {
      const code = osErrorCode(error);
      if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO') {
        throw new Failure(
          byteText`Error copying data to backup password file "${candidate}", not continuing.\n`,
        );
      }
      if (code === undefined) throw error;
    }
  }
  throw new Failure(byteText`Error creating backup password file "${candidates[0]!}", not continuing.\n`);
}
