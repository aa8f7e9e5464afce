import { openSync, readFileSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { LineEditor } from '../program/line-editor.js';
import { ProgramError } from '../program/program-error.js';

const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/;

const PROMPT = 'Enter PEM pass phrase:';

/** Exit code of a program that SIGINT ended. */
const INTERRUPTED = 130;

/** The key needs a passphrase. What cannot be read is somebody else's to complain about. */
export function isEncryptedKey(file: Buffer): boolean {
  try {
    return ENCRYPTED.test(readFileSync(file, 'latin1'));
  } catch {
    return false;
  }
}

/**
 * Asks on the terminal, as OpenSSL does (cli §9.3): standard input may be the data to publish. Undefined where there is
 * no terminal. Throws ProgramError where the user gives up.
 */
export async function askPassphrase(): Promise<string | undefined> {
  const terminal = openTerminal();
  if (terminal === undefined) return undefined;
  const { stream, write } = terminal;
  stream.setRawMode(true);
  try {
    write(PROMPT);
    return await readLine(stream);
  } finally {
    stream.setRawMode(false);
    write('\n');
    stream.destroy();
  }
}

function openTerminal(): { stream: ReadStream; write: (text: string) => void } | undefined {
  try {
    const file = openSync('/dev/tty', 'r+');
    return { stream: new ReadStream(file), write: (text) => writeSync(file, text) };
  } catch {
    return undefined;
  }
}

function readLine(stream: ReadStream): Promise<string> {
  const editor = new LineEditor();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new ProgramError(INTERRUPTED, ''));
    stream
      .on('data', (keys: Buffer) => {
        const result = editor.push(keys);
        if (result.kind === 'line') resolve(result.line.toString());
        else if (result.kind !== 'more') giveUp();
      })
      .on('end', giveUp)
      .on('error', reject);
  });
}
