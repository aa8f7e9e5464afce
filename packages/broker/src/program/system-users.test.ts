import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareRunFolder } from './privileges.js';
import { findSystemUser } from './system-users.js';

let folder: string;
let passwd: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsmqtt-users-'));
  passwd = join(folder, 'passwd');
  writeFileSync(passwd, 'tsmqtt-a:x:7:8:A:/:/bin/sh\ntsmqtt-bad:x:seven:8::/:\ntsmqtt-short\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('findSystemUser', () => {
  it('reads the file of users', () => {
    expect(findSystemUser('tsmqtt-a', passwd)).toEqual({ name: 'tsmqtt-a', userId: 7, groupId: 8 });
  });

  it('finds users by their ids there', () => {
    expect(findSystemUser(7, passwd)).toEqual({ name: 'tsmqtt-a', userId: 7, groupId: 8 });
    expect(findSystemUser(8, passwd)).toBeUndefined();
  });

  it('asks the system for others, and without the file', () => {
    const root = { name: 'root', userId: 0, groupId: 0 };
    expect(findSystemUser('root', passwd)).toEqual(root);
    expect(findSystemUser('root', join(folder, 'none'))).toEqual(root);
  });

  it.each(['tsmqtt-bad', 'tsmqtt-short', 'tsmqtt-none', '', '0', '-u'])('%j is nobody', (name) => {
    expect(findSystemUser(name, passwd)).toBeUndefined();
  });
});

it.each(['pid', 'a/b/pid'])('only folders directly below /run are made: not that of %s', (path) => {
  const user = { name: 'x', userId: 7, groupId: 8 };
  expect(prepareRunFolder(join(folder, 'none', path), user)).toBeUndefined();
  expect(prepareRunFolder('/run/pid', user)).toBeUndefined();
  expect(prepareRunFolder('/run/../tmp/pid', user)).toBeUndefined();
  expect(prepareRunFolder('/run/a/b/pid', user)).toBeUndefined();
});
