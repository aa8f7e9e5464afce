import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { writeInPlace } from './write-in-place.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passwd-write-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const previous = Buffer.from('a:old\n');
const next = Buffer.from('a:new\n');

function write(path: string, temporary?: string): void {
  writeInPlace(Buffer.from(path), previous, next, fakeIo('', temporary ? { TMPDIR: temporary } : {}).io);
}

test('writes and leaves nothing beside the file', () => {
  const file = join(folder, 'f');
  writeFileSync(file, `${previous}and more`);
  write(file);
  expect(readFileSync(file)).toEqual(next);
  expect(readdirSync(folder)).toEqual(['f']);
});

test.runIf(process.platform === 'linux')('a write that fails keeps the backup and names it', () => {
  const file = join(folder, 'f');
  symlinkSync('/dev/full', file);
  expect(() => write(file)).toThrow(
    /^Error occurred updating password file\. \(No space left on device\)\nPassword file may be corrupt, check the backup file: .*\/f\.backup\.\w{6}\.\n$/,
  );
  const backup = readdirSync(folder).find((name) => name.startsWith('f.backup.'));
  expect(readFileSync(join(folder, backup!))).toEqual(previous);
  expect(statSync(join(folder, backup!)).mode & 0o7777).toBe(0o600);
});

test.runIf(process.platform === 'linux')('where the folder takes no backup, the temporary one does', () => {
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  // No file can be made in /proc, by anybody.
  expect(() => write('/proc/f', temporary)).toThrow(`check the backup file: ${temporary}/f.backup.`);
  expect(readdirSync(temporary)).toHaveLength(1);
});

test('without a backup nothing is written', () => {
  const file = join(folder, 'missing', 'f');
  expect(() => write(file, join(folder, 'missing'))).toThrow(
    /^Error creating backup password file ".*\/missing\/f\.backup\.\w{6}", not continuing\.\n$/,
  );
});
