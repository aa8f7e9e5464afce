import type { ExitCode } from './io.js';

/** The program cannot do what it was asked to: lines for stderr, hidden by `--quiet`, and the exit code. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly exitCode: ExitCode;
  /** What goes to stderr, line ends included. */
  readonly text: Uint8Array;

  constructor(exitCode: ExitCode, text: string | Uint8Array) {
    super(Buffer.from(text).toString().trim());
    this.exitCode = exitCode;
    this.text = Buffer.from(text);
  }
}
