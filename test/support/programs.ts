import path from 'node:path';
import { type Child, type ChildOptions, type Ended, startChild } from './child.js';
import { workspaceRoot } from './workspace.js';

export const programNames = [
  'tsmqtt-pub',
  'tsmqtt-sub',
  'tsmqtt-rr',
  'tsmqtt-passwd',
  'tsmqtt-broker',
] as const;
export type ProgramName = (typeof programNames)[number];

/** The built program. */
export function programFile(name: ProgramName): string {
  return path.join(workspaceRoot, 'packages', name.slice('tsmqtt-'.length), 'dist', 'bin', name);
}

/** Starts a built program; it is killed at the end of the test. */
export function startProgram(name: ProgramName, args: readonly string[], options?: ChildOptions): Child {
  return startChild(process.execPath, [programFile(name), ...args], options);
}

/** Runs a built program to its end, with nothing on stdin unless `input` says otherwise. */
export function runProgram(
  name: ProgramName,
  args: readonly string[],
  options?: ChildOptions,
): Promise<Ended> {
  return startProgram(name, args, { input: '', ...options }).ended;
}

/**
 * A tsmqtt-sub that has its subscription: it is started with `-d`, and its trace is not among the messages.
 */
export async function startSubscriber(args: readonly string[], options?: ChildOptions): Promise<Subscriber> {
  const child = startProgram('tsmqtt-sub', ['-d', ...args], options);
  await child.line(/^Subscribed \(mid: /);
  return new Subscriber(child);
}

/** Lines of the trace that `-d` mixes into stdout (cli §16). */
const trace = /^(?:Client \S* (?:sending|received) |Subscribed \(mid: |Received DISCONNECT )/;

export class Subscriber {
  constructor(readonly child: Child) {}

  /** The messages so far, one a line, without the trace. */
  get messages(): string[] {
    return this.child.stdout
      .toString()
      .split('\n')
      .slice(0, -1)
      .filter((line) => !trace.test(line));
  }

  message(text: string): Promise<string> {
    return this.child.line(text);
  }

  /** Ends it as a user would, and answers what it printed. */
  async stop(): Promise<string[]> {
    await this.child.kill('SIGINT');
    return this.messages;
  }
}
