import { closeSync, fstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import { PasswordFile } from '@tsmqtt/credentials';
import { accessWarnings } from './access-warnings.js';
import { Failure } from './failure.js';
import { osErrorCode, osErrorText } from './os-error.js';

/** A file name as the user gave it, with symbolic links resolved where it exists (cli §18.5, §18.6). */
export interface ResolvedPath {
  readonly path: Buffer;
  readonly exists: boolean;
}

/** The content of a password file at one moment. */
export interface Snapshot {
  readonly content: Buffer;
  readonly stats: Stats;
}

/** @throws Failure where the name cannot be resolved for another reason than that nothing is there. */
export function resolvePath(path: Buffer): ResolvedPath {
  try {
    // Only the native one takes and gives bytes.
    return { path: realpathSync.native(path, { encoding: 'buffer' }), exists: true };
  } catch (error) {
    if (osErrorCode(error) === 'ENOENT') return { path, exists: false };
    throw new Failure(byteText`Error reading password file: ${osErrorText(error)}\n`);
  }
}

/**
 * Opens an existing file for what is to be done with it, and warns on stderr about its permissions.
 *
 * @throws Failure where it cannot be opened, or is corrupt.
 */
export function openPasswordFile(path: Buffer, access: 'read' | 'edit', io: Io): PasswordFile {
  const { content, stats } = readSnapshot(path, access);
  const warnings = accessWarnings(path, stats);
  if (warnings.length > 0) io.stderr.write(warnings);
  return parseContent(content);
}

/** Reads a file. `edit` asks for the right to write, too. Throws Failure. */
export function readSnapshot(path: Buffer, access: 'read' | 'edit'): Snapshot {
  let notAFile: Buffer = Buffer.alloc(0);
  try {
    // Looked at before opening: a FIFO would block.
    if (!statSync(path).isFile()) notAFile = byteText`Error: ${path} is not a file.`;
    if (notAFile.length > 0) throw Object.assign(new Error('not a file'), whyNotAFile(path));
    const descriptor = openSync(path, access === 'edit' ? 'r+' : 'r');
    try {
      return { content: readFileSync(descriptor), stats: fstatSync(descriptor) };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    // The two texts stand in one line, as the reference has them (cli §18.6).
    throw new Failure(
      byteText`${notAFile}Error: Unable to open password file ${path}. ${osErrorText(error)}.\n`,
    );
  }
}

/** @throws Failure at the first line that is neither entry nor comment nor blank. */
export function parseContent(content: Buffer): PasswordFile {
  const file = PasswordFile.parse(content);
  if (file.corruptLine !== undefined) {
    throw new Failure(byteText`Error: Corrupt password file at line ${file.corruptLine}.\n`);
  }
  return file;
}

function whyNotAFile(path: Buffer): { code: string; syscall: string } {
  return { code: statSync(path).isDirectory() ? 'EISDIR' : 'EINVAL', syscall: 'open' };
}
