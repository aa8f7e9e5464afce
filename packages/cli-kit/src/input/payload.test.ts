import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryIo } from '../../test/memory-io.js';
import { readPayload } from './payload.js';

const BINARY = Buffer.from([0, 0x0a, 0xff, 0x0d, 0x80]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsmqtt-payload-'));
  writeFileSync(join(folder, 'binary'), BINARY);
  writeFileSync(join(folder, 'empty'), '');
  symlinkSync('binary', join(folder, 'link'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string): Promise<Buffer> {
  return readPayload({ from: 'file', path: Buffer.from(join(folder, name)) }, new MemoryIo());
}

describe('-f (cli §11.4)', () => {
  test('takes the whole file, binary, through a link, empty', async () => {
    expect(await file('binary')).toEqual(BINARY);
    expect(await file('link')).toEqual(BINARY);
    expect(await file('empty')).toEqual(Buffer.alloc(0));
  });

  test.runIf(process.platform === 'linux')('takes a pipe', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    execFileSync('sh', ['-c', 'printf "a\\0b" > "$1" &', 'sh', pipe], { stdio: 'ignore' });
    expect(await file('pipe')).toEqual(Buffer.from('a\0b'));
  });

  test('says what it cannot read', async () => {
    const path = join(folder, 'missing');
    await expect(file('missing')).rejects.toMatchObject({
      exitCode: 1,
      text: Buffer.from(
        `Error: Unable to read file "${path}": No such file or directory.\nError loading input file "${path}".\n`,
      ),
    });
  });

  test('refuses a folder', async () => {
    await expect(file('.')).rejects.toThrow(
      /is not a file\.Error: Unable to read file ".*": Is a directory\.\n/,
    );
  });
});

describe('-s (cli §11.4)', () => {
  test('takes all of stdin', async () => {
    const io = new MemoryIo();
    io.keyboard.write(BINARY.subarray(0, 2));
    io.keyboard.end(BINARY.subarray(2));
    expect(await readPayload({ from: 'stdin' }, io)).toEqual(BINARY);
  });

  test('refuses nothing at all', async () => {
    await expect(readPayload({ from: 'stdin' }, new MemoryIo({ stdin: '' }))).rejects.toMatchObject({
      exitCode: 1,
      text: Buffer.from('Error: Zero length input.\nError loading input from stdin.\n'),
    });
  });
});

test('-m and -n need nothing read', async () => {
  const io = new MemoryIo();
  expect(await readPayload({ from: 'argument', payload: BINARY }, io)).toBe(BINARY);
  expect(await readPayload({ from: 'nothing' }, io)).toEqual(Buffer.alloc(0));
});
