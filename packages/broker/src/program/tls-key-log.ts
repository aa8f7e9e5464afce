import { closeSync, constants, fchmodSync, openSync, writeSync } from 'node:fs';
import type { Log } from '../log/log.js';
import { ProgramError } from './program-error.js';

/** An NSS key log, open for appending: with it whoever has a recording of connections can decrypt them. */
export interface TlsKeyLog {
  /** Takes a line with its end. */
  readonly write: (line: Buffer) => void;
  close(): void;
}

/**
 * Opens the file of `--tls-keylog`, mode 0600.
 *
 * @param followSymlinks the file may be a symbolic link (contract broker §4.8).
 * @throws ProgramError 1 where it cannot be opened.
 */
export function openTlsKeyLog(path: string, followSymlinks: boolean, log: Log): TlsKeyLog {
  const noFollow = followSymlinks ? 0 : (constants.O_NOFOLLOW ?? 0);
  let file: number;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | noFollow, 0o600);
    fchmodSync(file, 0o600);
  } catch (error) {
    throw new ProgramError(1, [
      `Error: Unable to open TLS key log file "${path}". (${(error as Error).message})`,
    ]);
  }
  log.notice(`TLS key logging to file ${path} is on.`);
  log.notice('TLS key logging is for debugging: whoever reads that file can read every connection.');
  let failed = false;
  return {
    write(line) {
      try {
        writeSync(file, line);
      } catch (error) {
        // Once: a full disk is no reason to fill another one.
        if (!failed)
          log.error(`Error: Unable to write to TLS key log file "${path}". (${(error as Error).message})`);
        failed = true;
      }
    },
    close: () => closeSync(file),
  };
}
