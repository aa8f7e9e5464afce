import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Child, startChild } from '../support/child.js';
import { temporaryFolder, writeFiles } from '../support/folder.js';
import { freePort } from '../support/free-port.js';
import { programFile } from '../support/programs.js';
import { workspaceRoot } from '../support/workspace.js';

const REPORTER = path.join(workspaceRoot, 'test', 'soak', 'heap-reporter.cjs');

/** The built broker in a process of its own whose memory can be looked at. */
export class WatchedBroker {
  #reports = 0;

  private constructor(
    readonly port: number,
    readonly child: Child,
  ) {}

  /** With one listener on 127.0.0.1 that the lines of the configuration are for. */
  static async start(
    lines: readonly string[],
    files: Readonly<Record<string, string>> = {},
  ): Promise<WatchedBroker> {
    const port = await freePort();
    const folder = temporaryFolder();
    const all = [
      // Root would become a user who may not read the test's files.
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      `listener ${port} 127.0.0.1`,
      'connection_messages false',
      ...lines.map((line) => line.replaceAll('{dir}', folder)),
    ];
    writeFiles(folder, { 'mosquitto.conf': `${all.join('\n')}\n`, ...files });
    const child = startChild(process.execPath, [
      ...['--expose-gc', '--require', REPORTER, programFile('tsmqtt-broker')],
      ...['-c', path.join(folder, 'mosquitto.conf')],
    ]);
    await child.line(/version \S+ running$/, 'stderr');
    return new WatchedBroker(port, child);
  }

  /** MiB resident now, garbage included. */
  get resident(): number {
    return this.#status('VmRSS');
  }

  /** MiB resident at most so far. */
  get peak(): number {
    return this.#status('VmHWM');
  }

  #status(name: string): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  }

  /** MiB of heap and buffers in use, garbage excluded. */
  async heap(): Promise<number> {
    const wanted = ++this.#reports;
    this.child.stdin.write('\n');
    for (;;) {
      const reports = this.child.stderr.match(/^heap \d+$/gm) ?? [];
      const report = reports[wanted - 1];
      if (report !== undefined) return Number(report.slice(5)) / 1024 / 1024;
      await this.child.more('stderr');
    }
  }
}
