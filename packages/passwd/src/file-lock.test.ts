import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { lockFile, thisMachine } from './file-lock.js';
import { stagingPath } from './leftovers.js';
import { run } from './run.js';

let folder: string;
let file: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passwd-lock-'));
  file = join(folder, 'f');
  lock = join(folder, '.f.lock');
  writeFileSync(file, '', { mode: 0o600 });
});

afterEach(() => rmSync(folder, { recursive: true }));

async function add(username: string): Promise<number> {
  return run(
    ['-I', '1', '-b', file, username, 'p'].map((arg) => Buffer.from(arg)),
    fakeIo('').io,
  );
}

function names(): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(':')[0]!);
}

const never = new AbortController().signal;

/** A process that has ended, as its lock would name it. */
async function deadOwner(random = 'abcdef'): Promise<string> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  return `${child.pid}:1:${random}:${thisMachine()}`;
}

test('updates at the same time all count', async () => {
  const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
  expect(await Promise.all(users.map(add))).toEqual(users.map(() => 0));
  expect(names().sort()).toEqual(users.sort());
  expect(readdirSync(folder)).toEqual(['f']);
});

test('an update waits for the one before', async () => {
  const unlock = await lockFile(Buffer.from(file), fakeIo().io, never);
  expect(readlinkSync(lock)).toMatch(new RegExp(`^${process.pid}:\\d*:\\w{6}:`));
  let done = false;
  const added = add('u').then(() => {
    done = true;
  });
  const other = join(folder, 'g');
  writeFileSync(other, '', { mode: 0o600 });
  await run(
    ['-b', other, 'u', 'p'].map((arg) => Buffer.from(arg)),
    fakeIo('').io,
  );
  expect(done).toBe(false);
  expect(names()).toEqual([]);
  unlock();
  await added;
  expect(names()).toEqual(['u']);
});

test('the lock of a process that was killed is taken over (P-30)', async () => {
  symlinkSync(await deadOwner(), lock);
  expect(await add('u')).toBe(0);
  expect(names()).toEqual(['u']);
  expect(readdirSync(folder)).toEqual(['f']);
});

test('several take over the same dead lock, one after the other', async () => {
  symlinkSync(await deadOwner(), lock);
  const users = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(users.map(add));
  expect(names().sort()).toEqual(users);
  expect(readdirSync(folder)).toEqual(['f']);
});

describe('who removes a dead lock needs a second lock', () => {
  test('whose owner may have been killed, too', async () => {
    symlinkSync(await deadOwner('abcdef'), lock);
    symlinkSync(await deadOwner('ghijkl'), `${lock}.abcdef`);
    symlinkSync(await deadOwner('mnopqr'), `${lock}.ghijkl`);
    expect(await add('u')).toBe(0);
    expect(names()).toEqual(['u']);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  test('and waits for a living one', async () => {
    symlinkSync(await deadOwner('abcdef'), lock);
    symlinkSync('somebody', `${lock}.abcdef`);
    const { io } = fakeIo();
    let now = 0;
    const clock = { ...io, now: () => (now += 6_000) };
    await expect(lockFile(Buffer.from(file), clock, never)).rejects.toThrow('is locked by another process');
    expect(readdirSync(folder).sort()).toEqual(['.f.lock', '.f.lock.abcdef', 'f']);
  });
});

test('what killed processes left beside the file is removed, and nothing else', async () => {
  const left = stagingPath(Buffer.from(file)).toString();
  const others = [
    stagingPath(Buffer.from(join(folder, 'g'))).toString(),
    `${left}x`,
    join(folder, '.f.lock.abcde'),
    join(folder, '.fflock.abcdef'),
    join(folder, 'f.backup.abcdef'),
  ];
  for (const name of [left, join(folder, '.f.lock.abcdef'), ...others]) writeFileSync(name, '');
  expect(await add('u')).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(['f', ...others.map((name) => basename(name))].sort());
});

test("what cannot be removed is in nobody's way", async () => {
  const left = stagingPath(Buffer.from(file)).toString();
  mkdirSync(left);
  expect(await add('u')).toBe(0);
  expect(readdirSync(folder).sort()).toEqual([basename(left), 'f'].sort());
});

test.runIf(process.platform === 'linux')('a process with the same number is not the owner', async () => {
  symlinkSync(`${process.pid}:1:abcdef:${thisMachine()}`, lock);
  expect(await add('u')).toBe(0);
});

test.each([
  ['on another machine', '1:1:abcdef:another.example'],
  ['that nobody knows', 'somebody'],
])('an owner %s is waited for, but not for ever', async (_, owner) => {
  symlinkSync(owner, lock);
  const { io } = fakeIo();
  let now = 0;
  const clock = { ...io, now: () => (now += 6_000) };
  await expect(lockFile(Buffer.from(file), clock, never)).rejects.toThrow(
    `Error: ${file} is locked by another process (${owner}, see ${lock}).`,
  );
  expect(readlinkSync(lock)).toBe(owner);
});

test('a signal ends the waiting', async () => {
  symlinkSync('somebody', lock);
  const abort = new AbortController();
  const waiting = lockFile(Buffer.from(file), fakeIo().io, abort.signal);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'Interrupted' });
});
