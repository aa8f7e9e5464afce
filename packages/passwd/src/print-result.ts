import { type Io, systemErrorText } from '@tsmqtt/cli-kit/program';
import { Failure } from './failure.js';

/**
 * Writes what the caller wanted to have on stdout. Where that does not take it, it has not happened (P-1): Failure, a silent
 * one where the reader went away, which is its own doing.
 */
export function printResult(io: Io, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    io.stdout.write(bytes, (error?: NodeJS.ErrnoException | null) => {
      if (!error) {
        resolve();
        return;
      }
      const text = `Error: Unable to write to standard output: ${systemErrorText(error)}.\n`;
      reject(new Failure(Buffer.from(error.code === 'EPIPE' ? '' : text)));
    });
  });
}
