import { closeSync, constants, lstatSync, openSync, writeSync } from 'node:fs';

/** A log file that is appended to. */
export class LogFile {
  readonly path: string;
  private descriptor: number;

  /**
   * Opens the file for appending, creating it for its owner alone (0600).
   *
   * @param followSymlinks whether the last part of the path may be a symbolic link (contract broker §4.8).
   * @throws the error of the file system.
   */
  constructor(path: string, followSymlinks: boolean) {
    this.path = path;
    if (!followSymlinks && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw new Error(`'${path}' is a symbolic link`);
    }
    // O_NOFOLLOW closes the gap between that look and this.
    const flags = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY;
    this.descriptor = openSync(path, followSymlinks ? flags : flags | (constants.O_NOFOLLOW ?? 0), 0o600);
  }

  /** @throws the error of the file system, such as ENOSPC. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(this.descriptor, bytes, written);
    }
  }

  close(): void {
    if (this.descriptor !== -1) closeSync(this.descriptor);
    this.descriptor = -1;
  }
}
