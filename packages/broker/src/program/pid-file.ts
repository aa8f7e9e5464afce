import { rmSync, writeFileSync } from 'node:fs';
import { ProgramError } from './program-error.js';

/** Writes the process id, decimal and without newline (T-50). @throws ProgramError 14 */
export function writePidFile(path: string, pid: number): void {
  try {
    writeFileSync(path, String(pid));
  } catch (error) {
    throw new ProgramError(14, [`Error: Unable to write pid file. (${(error as Error).message})`]);
  }
}

/** Removes it at exit. @throws the error of the file system, not if the file is gone. */
export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}
