import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { SyslogPipe } from '../log/syslog.js';

/** The program that writes to syslog (contract broker §5). */
export const LOGGER = 'logger';

/** How long the end of the broker waits until the last lines have been passed on, in milliseconds. */
const PATIENCE = 5000;

/** Whether a program of this name is in one of the folders of PATH. */
export function isInPath(name: string, path: string | undefined): boolean {
  return (path ?? '').split(delimiter).some((folder) => {
    try {
      const file = join(folder, name);
      accessSync(file, constants.X_OK);
      return folder !== '' && statSync(file).isFile();
    } catch {
      // Not there, or not for this user: the next folder may have it.
      return false;
    }
  });
}

const ended = new Set<Promise<void>>();

/** Starts `logger -p PRIORITY -t TAG`, which takes lines on its input. See `OpenSyslog`. */
export function startLogger(tag: string, priority: string, failed: (reason: string) => void): SyslogPipe {
  // In a process group of its own: the Ctrl-C that ends the broker leaves it the last lines.
  const child = spawn(LOGGER, ['-p', priority, '-t', tag], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const { stdin } = child;
  child.unref();
  child.once('error', (error) => failed(error.message));
  child.once('exit', (code, signal) => failed(`${LOGGER} ended with ${signal ?? `exit code ${code}`}`));
  // That it has gone is told by its exit.
  stdin.on('error', () => {});
  return {
    write: (text) => stdin.write(text),
    end: () => {
      stdin.end();
      // It never started, or has ended already.
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const done = new Promise<void>((resolve) => {
        const patience = setTimeout(resolve, PATIENCE);
        child.once('exit', () => {
          clearTimeout(patience);
          resolve();
        });
      });
      ended.add(done);
      void done.then(() => ended.delete(done));
    },
    get waiting() {
      return stdin.writableLength;
    },
  };
}

/** Resolves when the processes that were told to end have passed on what they got, or did not in time. */
export async function loggersFlushed(): Promise<void> {
  await Promise.all(ended);
}
