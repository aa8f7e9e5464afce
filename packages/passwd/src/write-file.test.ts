import * as fs from 'node:fs';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { passwdFolder } from '../test/passwd-folder.js';
import { createFile } from './write-file.js';

vi.mock(import('node:fs'), { spy: true });
const linkSync = vi.mocked(fs.linkSync);

afterEach(() => {
  linkSync.mockReset();
});

/** What Linux says on a file system without hard links. */
function noHardLinks(): never {
  throw Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'link' });
}

describe('where there are no hard links', () => {
  test('a new file is private and complete', () => {
    linkSync.mockImplementation(noHardLinks);
    const { folder, file } = passwdFolder();
    createFile(Buffer.from(file), Buffer.from('a:x\n'));
    expect(linkSync).toHaveBeenCalledOnce();
    expect(readFileSync(file, 'utf8')).toBe('a:x\n');
    expect(statSync(file).mode & 0o7777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  test('what came into being meanwhile is not replaced', () => {
    const { folder, file } = passwdFolder();
    linkSync.mockImplementation(() => {
      writeFileSync(file, 'somebody else\n');
      noHardLinks();
    });
    expect(() => createFile(Buffer.from(file), Buffer.from('a:x\n'))).toThrow('EEXIST');
    expect(readFileSync(file, 'utf8')).toBe('somebody else\n');
    expect(readdirSync(folder)).toEqual(['f']);
  });
});

test('any other error of the link is one of the creation', () => {
  const { folder, file } = passwdFolder();
  linkSync.mockImplementation(() => {
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'link' });
  });
  expect(() => createFile(Buffer.from(file), Buffer.from('a:x\n'))).toThrow('EIO');
  expect(existsSync(join(folder, 'f'))).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});
