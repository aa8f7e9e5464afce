import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { MAXIMUM_PAYLOAD } from '../options/option-table.js';
import type { PayloadSource } from '../options/settings.js';
import { byteText } from '../program/byte-text.js';
import type { Io } from '../program/io.js';
import { ProgramError } from '../program/program-error.js';
import { systemErrorText } from '../program/system-error.js';

/** The one payload that `-m`, `-n`, `-f` or `-s` stands for (cli §11.4). Throws ProgramError. */
export async function readPayload(
  source: Exclude<PayloadSource, { from: 'lines' }>,
  io: Io,
): Promise<Buffer> {
  switch (source.from) {
    case 'argument':
      return source.payload;
    case 'nothing':
      return Buffer.alloc(0);
    case 'file':
      return readWholeFile(source.path);
    case 'stdin':
      return readWholeStdin(io);
  }
}

/** There is nothing else to do meanwhile, and `node:fs/promises` would have to be loaded for every run. */
function readWholeFile(path: Buffer): Buffer {
  const fail = (before: Uint8Array | string): ProgramError =>
    new ProgramError(1, byteText`${before}Error loading input file "${path}".\n`);
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const found = fstatSync(file);
    if (found.isDirectory()) {
      throw fail(
        byteText`Error: ${path} is not a file.Error: Unable to read file "${path}": Is a directory.\n`,
      );
    }
    if (found.isFile() && found.size > MAXIMUM_PAYLOAD) throw fail(TOO_LARGE_FILE);
    // Files of /proc say 0 and have content; the reference believes what they say.
    if (found.isFile() && found.size === 0) return Buffer.alloc(0);
    const content = readFileSync(file);
    if (content.length > MAXIMUM_PAYLOAD) throw fail(TOO_LARGE_FILE);
    return content;
  } catch (error) {
    if (error instanceof ProgramError) throw error;
    throw fail(byteText`Error: Unable to read file "${path}": ${systemErrorText(error)}.\n`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const TOO_LARGE_FILE = `Error: File must be less than ${MAXIMUM_PAYLOAD} bytes.\n\n`;

async function readWholeStdin(io: Io): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const fail = (text: string): ProgramError =>
    new ProgramError(1, `${text}Error loading input from stdin.\n`);
  try {
    for await (const chunk of io.stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAXIMUM_PAYLOAD) {
        throw fail(`Error: Message length must be less than ${MAXIMUM_PAYLOAD} bytes.\n\n`);
      }
    }
  } catch (error) {
    throw error instanceof ProgramError ? error : fail(`Error: ${systemErrorText(error)}.\n`);
  }
  if (length === 0) throw fail('Error: Zero length input.\n');
  return Buffer.concat(chunks, length);
}
