import path from 'node:path';
import { describe } from 'vitest';
import { type Child, startChild } from './child.js';
import { temporaryFolder, writeFiles } from './folder.js';
import { freePort } from './free-port.js';
import { describePeer, findPeer } from './peers.js';
import { programFile } from './programs.js';

export type BrokerName = 'tsmqtt-broker' | 'mosquitto';

export interface BrokerSetup {
  /** Lines of `conf.d/default.conf`. Absent: anybody may connect. */
  readonly conf?: readonly string[];
  /** Other files of the configuration folder: name and text. */
  readonly files?: Readonly<Record<string, string>>;
  /** An existing folder to put the configuration into, instead of a new one. */
  readonly folder?: string;
}

export interface RunningBroker {
  readonly name: BrokerName;
  readonly port: number;
  readonly folder: string;
  readonly child: Child;
  /** What a client needs to reach it: `-h 127.0.0.1 -p PORT`. */
  readonly at: readonly string[];
}

/**
 * Starts a broker on a free port of 127.0.0.1 with a configuration folder like Debian's: a main file that says
 * `include_dir`, and `conf.d/default.conf`. Resolves when it says that it runs; it is killed at the end of the test.
 */
export async function startBroker(name: BrokerName, setup: BrokerSetup = {}): Promise<RunningBroker> {
  const port = await freePort();
  const folder = setup.folder ?? temporaryFolder();
  const main = [
    `listener ${port} 127.0.0.1`,
    // Root would become a user who may not read the test's files.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    `include_dir ${path.join(folder, 'conf.d')}`,
  ];
  writeFiles(folder, {
    'mosquitto.conf': `${main.join('\n')}\n`,
    'conf.d/default.conf': `${(setup.conf ?? ['allow_anonymous true']).join('\n')}\n`,
    ...setup.files,
  });
  const child = startBrokerProcess(name, ['-c', path.join(folder, 'mosquitto.conf')]);
  await child.line(/version \S+ running$/, 'stderr');
  return { name, port, folder, child, at: ['-h', '127.0.0.1', '-p', String(port)] };
}

/** Starts a broker with arguments of the test's own, and waits for nothing. */
export function startBrokerProcess(name: BrokerName, args: readonly string[]): Child {
  if (name === 'mosquitto') return startChild(findPeer('mosquitto') ?? 'mosquitto', args);
  return startChild(process.execPath, [programFile('tsmqtt-broker'), ...args]);
}

/** The same tests against our broker and against the real one. */
export function describeBrokers(title: string, define: (name: BrokerName) => void): void {
  describe(`${title}, tsmqtt-broker`, () => define('tsmqtt-broker'));
  describePeer('mosquitto', `${title}, mosquitto`, () => define('mosquitto'));
}
