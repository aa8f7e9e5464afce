import type { Readable, Writable } from 'node:stream';

/** Exit code of a program, 0 to 255. */
export type ExitCode = number;

/** Signals that programs handle themselves. */
export type HandledSignal = 'SIGINT' | 'SIGTERM';

/**
 * Everything a program touches besides its arguments. `bin/` passes the process's own; tests pass theirs.
 * Programs never read `process` themselves and never exit: they return their exit code.
 */
export interface Io {
  /** Name the program was invoked as, without its folder: what messages call `PROG` (contract §1.2). */
  readonly programName: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Process id, for `-I` and for generated names. */
  readonly pid: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** The end does not wait for what stdout and stderr have not taken by then. */
  abandonOutput(): void;
  /** Calls `handler` at every such signal until the returned function is called. */
  onSignal(signal: HandledSignal, handler: () => void): () => void;
}

/** A program: arguments (without interpreter and script) as bytes, because payloads are bytes (P-23). */
export type Run = (argv: readonly Buffer[], io: Io) => Promise<ExitCode>;
