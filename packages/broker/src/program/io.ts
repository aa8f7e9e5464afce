import type { Writable } from 'node:stream';

import type { OpenSyslog } from '../log/syslog.js';

/** Exit code of a program, 0 to 255. */
export type ExitCode = number;

/** Signals that the broker handles (contract broker §6). */
export type BrokerSignal = 'SIGHUP' | 'SIGINT' | 'SIGTERM' | 'SIGUSR1' | 'SIGUSR2';

/** A user of the system, or bare ids. */
export interface SystemUser {
  /** Undefined: ids from the environment, without supplementary groups. */
  readonly name: string | undefined;
  /** Undefined: stays as it is. */
  readonly userId: number | undefined;
  readonly groupId: number | undefined;
}

/**
 * Everything `tsmqtt-broker` touches besides its arguments, files and sockets. `bin/` passes the process's own, tests
 * pass theirs.
 */
export interface BrokerIo {
  /** Name the program was invoked as, without its folder. */
  readonly programName: string;
  /** Both streams survive a reader that goes away: their errors are dealt with. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `handler` at every such signal until the returned function is called. */
  onSignal(signal: BrokerSignal, handler: () => void): () => void;
  /** Calls `handler` when the process ends for whatever reason; it must not wait for anything. */
  onExit(handler: () => void): () => void;
  /** Effective user id; undefined where the system has none. */
  userId(): number | undefined;
  /** Looks a user up by name or id; undefined: there is none. */
  findUser(user: string | number): SystemUser | undefined;
  /** Gives up root. @throws the error of the system. */
  becomeUser(user: SystemUser): void;
  setUmask(mask: number): void;
  /** Starts a process that writes lines to syslog. */
  readonly openSyslog: OpenSyslog;
  /** Starts this program again with these arguments, detached from terminal and standard streams. */
  detach(argv: readonly string[]): Promise<void>;
}
