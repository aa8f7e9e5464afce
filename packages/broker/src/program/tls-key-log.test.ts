import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '../log/log.js';
import { ProgramError } from './program-error.js';
import { openTlsKeyLog } from './tls-key-log.js';

let folder: string;
let notices: string[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-keylog-'));
  notices = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const log = { ...silentLog, notice: (text: string) => void notices.push(text) };

it('appends to a file that only its owner may read, and says so', () => {
  const file = path.join(folder, 'keys');
  writeFileSync(file, 'before\n', { mode: 0o644 });
  const keyLog = openTlsKeyLog(file, false, log);
  keyLog.write(Buffer.from('secret\n'));
  keyLog.close();
  expect(readFileSync(file, 'utf8')).toBe('before\nsecret\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(notices[0]).toBe(`TLS key logging to file ${file} is on.`);
});

it('follows a symbolic link only if it may (broker §4.8)', () => {
  const link = path.join(folder, 'link');
  symlinkSync(path.join(folder, 'keys'), link);
  expect(() => openTlsKeyLog(link, false, log)).toThrow(ProgramError);
  openTlsKeyLog(link, true, log).close();
});

it('ends the start where the file cannot be opened', () => {
  expect(() => openTlsKeyLog('/nowhere/keys', false, log)).toThrow(
    expect.objectContaining({
      exitCode: 1,
      message: expect.stringMatching(/^Error: Unable to open TLS key log file "\/nowhere\/keys"\. \(ENOENT/),
    }),
  );
});
