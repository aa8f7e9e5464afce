import { ListenerError } from '../listener/listener-error.js';

/** Ends the start of the program: lines to log and the exit code (contract broker §1.2). */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly code = 'start-failed';
  readonly exitCode: 1 | 3 | 13 | 14;
  readonly lines: readonly string[];

  constructor(exitCode: ProgramError['exitCode'], lines: readonly [string, ...string[]]) {
    super(lines[0]);
    this.exitCode = exitCode;
    this.lines = lines;
  }
}

/** The C library's words for errors of the system that listeners meet. */
const ERROR_TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EAI_AGAIN: 'Temporary failure in name resolution',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOTFOUND: 'Name or service not known',
};

/**
 * A failed start of the engine as one line: the reference's words, then what they are about (B-8).
 * Errors that are not the system's are returned as they are: they are this program's own fault.
 */
export function listenError(error: unknown): unknown {
  if (error instanceof ListenerError) return new ProgramError(1, [error.message]);
  const {
    code,
    syscall,
    address,
    port = -1,
    hostname,
    path,
    message,
  } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
    hostname?: string;
  };
  if (code === undefined || syscall === undefined) return error;
  // The address of a Unix socket is its path, with port -1.
  const subject = address === undefined ? (hostname ?? path) : port < 0 ? address : place(address, port);
  const text = ERROR_TEXTS[code] ?? message;
  return new ProgramError(1, [`Error: ${text}${subject === undefined ? '' : ` (${subject})`}`]);
}

function place(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
