import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { HASH_CONCURRENCY, setHashConcurrency } from '@tsmqtt/credentials';
import { afterEach, describe, expect, test } from 'vitest';
import { passwd, passwdFolder } from '../test/passwd-folder.js';

afterEach(() => setHashConcurrency(HASH_CONCURRENCY));

test('adds and changes users in one write, keeping every other byte', async () => {
  const { file, kinds, verify } = passwdFolder('# staff\r\n b : old \r\n\nc:kept\nb:second');
  const { code, stdout, stderr } = await passwd(
    ['--import', file],
    'a:p:with:colons \nb:new\r\n\nü:\xc3:last line without end',
  );
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'Added 2 users, updated 1.\n', stderr: '' });
  expect(kinds()).toBe(
    '# staff\r\nb:sha512-pbkdf2\r\n\nc:kept\nb:second\na:sha512-pbkdf2\n\xc3\xbc:sha512-pbkdf2\n',
  );
  expect(await verify('a', 'p:with:colons ')).toBe(true);
  expect(await verify('b', 'new')).toBe(true);
  expect(await verify('ü', '\xc3:last line without end')).toBe(true);
});

test('with -c makes a new file, private and complete', async () => {
  const { folder, file, kinds } = passwdFolder();
  const umask = process.umask(0o777);
  try {
    expect(await passwd(['-c', '-H', 'sha512', '--import', file], 'a:1\nb:2\n')).toEqual({
      code: 0,
      stdout: 'Added 2 users, updated 0.\n',
      stderr: '',
    });
  } finally {
    process.umask(umask);
  }
  expect(kinds()).toBe('a:sha512\nb:sha512\n');
  expect(statSync(file).mode & 0o7777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['f']);
});

test.each([
  ['a file', (_: string) => 'a:x\n'],
  ['a link to nowhere', (file: string) => symlinkSync('nowhere', file)],
])('with -c leaves %s alone', async (_, prepare) => {
  const { folder, file } = passwdFolder();
  const there = passwdFolder('a:x\n');
  const target = prepare(file) === undefined ? file : there.file;
  expect(await passwd(['-c', '--import', target], 'a:1\n')).toEqual({
    code: 1,
    stdout: '',
    stderr: `Error: Unable to open file ${target} for writing. File exists.\n`,
  });
  expect(there.bytes()).toBe('a:x\n');
  expect(readdirSync(folder)).not.toContain('nowhere');
});

test('with -c and - writes the entries to stdout, and only them', async () => {
  const { code, stdout, stderr } = await passwd(['-I', '1', '-c', '--import', '-'], 'a:1\nb:2\n');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^a:\$7\$1\$\S+\nb:\$7\$1\$\S+\n$/);
});

describe('a line that is wrong stops it before anything is written', () => {
  // biome-ignore format: one row a line
  const bad: [string, string | Buffer, string][] = [
    ['no colon', 'a:1\nb\nc:3\n', "Error: Line 2 of stdin: There is no ':' between username and password."],
    ['no user name', ':1\n', 'Error: Line 1 of stdin: Username must not be empty.'],
    ['no password', 'a:1\n\nb:\n', 'Error: Line 3 of stdin: Empty password.'],
    ['no password before CRLF', 'b:\r\n', 'Error: Line 1 of stdin: Empty password.'],
    ['a comment', '# a:1\n', "Error: Line 1 of stdin: Username must not begin with '#'."],
    ['a blank before the name', ' a:1\n', 'Error: Line 1 of stdin: Username must not begin or end with a blank.'],
    ['a control character', 'a\x01:1\n', 'Error: Line 1 of stdin: Username must not contain control characters.'],
    ['a long name', `${'a'.repeat(65_536)}:1\n`, 'Error: Line 1 of stdin: Username must be less than 65536 characters long.'],
    ['a long password', `a:${'1'.repeat(65_536)}\n`, 'Error: Line 1 of stdin: Password must be less than 65536 characters long.'],
    ['a NUL in the password', 'a:1\0\n', 'Error: Line 1 of stdin: Password must not contain NUL.'],
    ['a user for the second time', Buffer.from('ü:1\nb:2\nü:3\n'), 'Error: Line 3 of stdin: User ü stands in line 1 already.'],
    ['nothing', '', 'Error: No users on stdin.'],
    ['only blank lines', '\n\r\n', 'Error: No users on stdin.'],
  ];
  test.each(bad)('%s', async (_, input, message) => {
    const { folder, file, bytes } = passwdFolder('a:x');
    const { ino, mtimeNs } = statSync(file, { bigint: true });
    expect(await passwd(['--import', file], input)).toEqual({
      code: 1,
      stdout: '',
      stderr: Buffer.from(`${message}\n`).toString('latin1'),
    });
    expect(bytes()).toBe('a:x');
    expect(statSync(file, { bigint: true })).toMatchObject({ ino, mtimeNs });
    expect(readdirSync(folder)).toEqual(['f']);
  });

  test('a password that the hash cannot take: exit 10', async () => {
    const { file, bytes } = passwdFolder('a:x');
    expect(await passwd(['-H', 'bcrypt', '--import', file], `a:1\nb:${'2'.repeat(73)}\n`)).toEqual({
      code: 10,
      stdout: '',
      stderr:
        'Warning: Mosquitto does not read bcrypt hashes; tsmqtt-broker does.\n' +
        'Error: Unable to hash password. (line 2: bcrypt takes at most 72 bytes of a password)\n',
    });
    expect(bytes()).toBe('a:x');
  });
});

test.each([
  ['is not there', undefined, /^Error: Unable to open password file \S+\. No such file or directory\.\n$/],
  ['is corrupt', 'a:x\nb\n', /^Error: Corrupt password file at line 2\.\n$/],
])('a file that %s: exit 1', async (_, content, message) => {
  const { file } = passwdFolder(content);
  const { code, stdout, stderr } = await passwd(['--import', file], 'a:1\n');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(message);
});

test('a thousand users, each with the own password', async () => {
  const { file, bytes, verify } = passwdFolder('u7:old\n');
  const lines = Array.from({ length: 1000 }, (_, index) => `u${index}:p${index}`);
  expect(await passwd(['-I', '1', '--import', file], lines.join('\n'))).toMatchObject({
    code: 0,
    stdout: 'Added 999 users, updated 1.\n',
  });
  const users = bytes().trimEnd().split('\n');
  expect(users).toHaveLength(1000);
  expect(new Set(users.map((line) => line.split(':')[1])).size).toBe(1000);
  for (const index of [0, 7, 500, 999]) expect(await verify(`u${index}`, `p${index}`)).toBe(true);
  expect(await verify('u7', 'old')).toBe(false);
});

test('imports at the same time all count', async () => {
  const { file, bytes } = passwdFolder('');
  const lists = ['a', 'b', 'c', 'd'].map((name) => `${name}1:p\n${name}2:p\nshared:${name}\n`);
  const results = await Promise.all(lists.map((list) => passwd(['-I', '1', '--import', file], list)));
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(bytes().match(/^\w+/gm)?.sort()).toEqual('a1 a2 b1 b2 c1 c2 d1 d2 shared'.split(' '));
  expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
});
