import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { hashPassword, looksHashed, parsePasswordHash, verifyPassword } from '@tsmqtt/credentials';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { run } from './run.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passwd-run-'));
  file = join(folder, 'f');
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Surroundings {
  readonly input?: string | Buffer;
  readonly env?: Record<string, string>;
}

async function passwd(args: readonly (string | Buffer)[], { input = '', env = {} }: Surroundings = {}) {
  const fake = fakeIo(input, env);
  const code = await run(
    args.map((arg) => Buffer.from(arg)),
    fake.io,
  );
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}

function write(content: string, path = file): void {
  writeFileSync(path, content, { mode: 0o600, encoding: 'latin1' });
}

/** The file with every hash replaced by `KIND`, and whether each is that of the password. */
function read(path = file): string {
  return readFileSync(path, 'latin1').replace(/\$[0-9a-z]+\$[^\n\r:]+/g, (hash) =>
    looksHashed(hash) ? (parsePasswordHash(hash)?.kind ?? hash) : hash,
  );
}

async function opens(username: string, password: string): Promise<boolean> {
  return (await passwd(['--verify', '--stdin', file, username], { input: password })).code === 0;
}

describe('-c', () => {
  test('creates a private file with one user, whatever the umask is', async () => {
    const umask = process.umask(0o777);
    try {
      expect(await passwd(['-c', '-b', file, 'ü', 'p'])).toEqual({
        code: 0,
        stdout: Buffer.from('Adding password for user ü\n').toString('latin1'),
        stderr: '',
      });
    } finally {
      process.umask(umask);
    }
    expect(statSync(file).mode & 0o7777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['f']);
    expect(readFileSync(file, 'utf8')).toMatch(/^ü:\$7\$10000\$[^$]{16}\$[^$]{88}\n$/);
    expect(await opens('ü', 'p')).toBe(true);
    expect(await opens('ü', 'q')).toBe(false);
  });

  test('ignores what follows', async () => {
    expect((await passwd(['-c', '-b', file, 'u', 'p', 'q'])).code).toBe(0);
  });

  test('does not touch what is there', async () => {
    write('a:x\n');
    const message = `Error: Unable to open file ${file} for writing. File exists.\n`;
    expect(await passwd(['-c', '-b', file, 'u', 'p'])).toEqual({ code: 1, stdout: '', stderr: message });
    expect(read()).toBe('a:x\n');
    expect(readdirSync(folder)).toEqual(['f']);
  });

  test.each([
    ['a folder', () => mkdirSync(file), 'File exists'],
    ['a link to nowhere', () => symlinkSync('nowhere', file), 'File exists'],
    [
      'a file in a folder that is not there',
      () => (file = join(folder, 'no', 'f')),
      'No such file or directory',
    ],
  ])('refuses %s', async (_, prepare, why) => {
    prepare();
    const { code, stderr } = await passwd(['-c', '-b', file, 'u', 'p']);
    expect([code, stderr]).toEqual([1, `Error: Unable to open file ${file} for writing. ${why}.\n`]);
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });

  test('a component that is no folder cannot be resolved', async () => {
    write('');
    const { code, stderr } = await passwd(['-c', '-b', join(file, 'g'), 'u', 'p']);
    expect([code, stderr]).toEqual([1, 'Error reading password file: Not a directory\n']);
  });

  test('follows a link to nowhere where links are allowed', async () => {
    symlinkSync('target', file);
    const env = { MOSQUITTO_UNSAFE_ALLOW_SYMLINKS: '1' };
    expect((await passwd(['-c', '-b', file, 'u', 'p'], { env })).code).toBe(0);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(read(join(folder, 'target'))).toBe('u:sha512-pbkdf2\n');
  });

  test('with - writes the entry to stdout', async () => {
    const { code, stdout, stderr } = await passwd(['-c', '-b', '-', 'u', 'p']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^u:\$7\$10000\$[^$]{16}\$[^$]{88}\n$/);
    const asked = await passwd(['-c', '-', 'u'], { input: 'p\np\n' });
    expect(asked.stdout).toMatch(/^Password: \nReenter password: \nu:\$7\$/);
  });

  test('- is a file like any other without -c', async () => {
    expect(await passwd(['-b', '-', 'u', 'p'])).toMatchObject({
      code: 1,
      stderr: 'Error: Unable to open password file -. No such file or directory.\n',
    });
  });

  test('hashes before creating: what fails leaves no file', async () => {
    expect(await passwd(['-H', 'bcrypt', '-c', '-b', file, 'u', 'p'.repeat(73)])).toMatchObject({
      code: 10,
      stdout: '',
      stderr: expect.stringContaining('Error: Unable to hash password.'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('hashes', () => {
  test.each([
    [['-H', 'sha512'], /^u:\$6\$/, ''],
    [['-H', 'sha512-pbkdf2', '-I', '5'], /^u:\$7\$5\$/, ''],
    [['-I', '5', '-H', 'sha512'], /^u:\$6\$/, ''],
    [['-H', 'argon2id'], /^u:\$argon2id\$v=19\$m=47104,t=1,p=1\$/, ''],
    [
      ['-H', 'bcrypt'],
      /^u:\$2b\$12\$/,
      'Warning: Mosquitto does not read bcrypt hashes; tsmqtt-broker does.\n',
    ],
  ])('%j', async (options, entry, warning) => {
    expect(await passwd([...options, '-c', '-b', file, 'u', 'p'])).toMatchObject({
      code: 0,
      stderr: warning,
    });
    expect(readFileSync(file, 'utf8')).toMatch(entry);
    expect(await opens('u', 'p')).toBe(true);
  });

  test('the password is bytes', async () => {
    const password = Buffer.of(0xff, 0x3a, 0xfe);
    expect((await passwd(['-c', '-b', file, Buffer.of(0xe9), password])).code).toBe(0);
    expect(read()).toBe('\xe9:sha512-pbkdf2\n');
    const hash = parsePasswordHash(readFileSync(file, 'latin1').trim().slice(2))!;
    expect(await verifyPassword(password, hash)).toBe(true);
  });

  test('an empty password on the command line is one', async () => {
    expect((await passwd(['-c', '-b', file, 'u', ''])).code).toBe(0);
    expect(await opens('u', '')).toBe(true);
  });
});

describe('adding and updating', () => {
  // biome-ignore format: one row a line
  const cases: [string, string, string, string][] = [
    ['adds at the end, keeping comments and blank lines (P-16)', '# c\n\na:x\n', 'Adding', '# c\n\na:x\nu:sha512-pbkdf2\n'],
    ['adds to an empty file', '', 'Adding', 'u:sha512-pbkdf2\n'],
    ['ends an unfinished last line first', 'a:x', 'Adding', 'a:x\nu:sha512-pbkdf2\n'],
    ['replaces the first of several, leaving every other byte', '# c\r\nu : x\r\na:\xff\nu:y', 'Updating', '# c\r\nu:sha512-pbkdf2\r\na:\xff\nu:y'],
    ['keeps hashes that it does not know', 'a:$99$x$y\nu:z\n', 'Updating', 'a:$99$x$y\nu:sha512-pbkdf2\n'],
  ];
  test.each(cases)('%s', async (_, before, verb, after) => {
    write(before);
    const stdout = `${verb} password for user u\n`;
    expect(await passwd(['-b', file, 'u', 'p'])).toEqual({ code: 0, stdout, stderr: '' });
    expect(read()).toBe(after);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  test('a line of any length is a line', async () => {
    write(`${'a'.repeat(100_000)}:x\n`);
    expect((await passwd(['-b', file, 'u', 'p'])).code).toBe(0);
    expect(read()).toBe(`${'a'.repeat(100_000)}:x\nu:sha512-pbkdf2\n`);
  });
});

describe('a corrupt file', () => {
  const contents: [string, number][] = [
    ['u:x\nno colon\nb:y\n', 2],
    ['u:x\n\nb:\n', 3],
    ['u:x\nb:y\0z\n', 2],
  ];
  const commands: [string, string[]][] = [
    ['adding', ['-b', 'FILE', 'new', 'p']],
    ['updating', ['-b', 'FILE', 'u', 'p']],
    ['deleting', ['-D', 'FILE', 'u']],
    ['-U', ['-U', 'FILE']],
    ['--list', ['--list', 'FILE']],
    ['--verify', ['--verify', '--stdin', 'FILE', 'u']],
    ['asking', ['FILE', 'u']],
  ];
  test.each(
    contents.flatMap(([content, line]) =>
      commands.map(([name, args]) => [name, content, line, args] as const),
    ),
  )('%s with %j: line %i, exit 1, unchanged', async (_, content, line, args) => {
    write(content);
    expect(await passwd(args.map((arg) => (arg === 'FILE' ? file : arg)))).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: Corrupt password file at line ${line}.\n`,
    });
    expect(read()).toBe(content);
  });
});

describe('-D', () => {
  test('removes all lines of the user, says nothing, keeps the rest', async () => {
    write('# c\nu:x\n\na:y\r\nu:z');
    expect(await passwd(['-D', file, 'u', 'ignored'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(read()).toBe('# c\n\na:y\r\n');
  });

  test('an unknown user is a warning and exit 1; the file is not written', async () => {
    write('a:x');
    const { ino, mtimeNs } = statSync(file, { bigint: true });
    expect(await passwd(['-D', file, 'u'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Warning: User u not found in password file.\n',
    });
    expect(statSync(file, { bigint: true })).toMatchObject({ ino, mtimeNs });
  });
});

describe('-U', () => {
  test('hashes what is not hashed, once, and says how many (P-16)', async () => {
    const hash = await hashPassword(Buffer.from('p'), { iterations: 1 });
    write(`# c\n a : pa:ss \r\n\nb:${hash}\nc:$99$?\nd:$argon2i$v=19$m=8$x\ne:last`);
    expect(await passwd(['-U', file])).toEqual({
      code: 0,
      stdout: 'Hashed 3 passwords, 2 were hashed already.\n',
      stderr: '',
    });
    expect(read()).toBe(
      '# c\na:sha512-pbkdf2\r\n\nb:sha512-pbkdf2\nc:sha512-pbkdf2\nd:$argon2i$v=19$m=8$x\ne:sha512-pbkdf2\n',
    );
    for (const [username, password] of [
      ['a', 'pa:ss'],
      ['b', 'p'],
      ['c', '$99$?'],
      ['e', 'last'],
    ] as const) {
      expect(await opens(username, password)).toBe(true);
    }
  });

  test('a second time changes nothing', async () => {
    write('a:x\nb:y\n');
    await passwd(['-U', '-H', 'sha512', file]);
    const { ino, mtimeNs } = statSync(file, { bigint: true });
    const content = readFileSync(file);
    expect((await passwd(['-U', file])).stdout).toBe('Hashed 0 passwords, 2 were hashed already.\n');
    expect(statSync(file, { bigint: true })).toMatchObject({ ino, mtimeNs });
    expect(readFileSync(file)).toEqual(content);
  });

  test('takes -H and -I (P-15), and -b without minding', async () => {
    write('a:x\n');
    expect((await passwd(['-b', '-I', '3', '-U', file])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toMatch(/^a:\$7\$3\$/);
  });

  test('many are all hashed', async () => {
    write(Array.from({ length: 50 }, (_, index) => `u${index}:p${index}\n`).join(''));
    await passwd(['-I', '1', '-U', file]);
    expect(read()).toBe(Array.from({ length: 50 }, (_, index) => `u${index}:sha512-pbkdf2\n`).join(''));
    expect(await opens('u49', 'p49')).toBe(true);
  });

  test('an empty file is exit 1, silently', async () => {
    write('');
    expect(await passwd(['-U', file])).toEqual({ code: 1, stdout: '', stderr: '' });
  });

  test('one password that cannot be hashed leaves all as they were', async () => {
    write(`a:x\nb:${'p'.repeat(73)}\n`);
    expect((await passwd(['-U', '-H', 'bcrypt', file])).code).toBe(10);
    expect(read()).toBe(`a:x\nb:${'p'.repeat(73)}\n`);
  });
});

describe('--list and --verify (P-17)', () => {
  test('--list prints each name once', async () => {
    write('# c\nb:x\n a :y\nb:z\n\xff:x\n');
    expect(await passwd(['--list', file])).toEqual({ code: 0, stdout: 'b\na\n\xff\n', stderr: '' });
  });

  test('--verify asks once and compares', async () => {
    await passwd(['-c', '-b', file, 'u', 'p']);
    expect(await passwd(['--verify', file, 'u'], { input: 'p\n' })).toEqual({
      code: 0,
      stdout: 'Password: \n',
      stderr: '',
    });
    expect(await passwd(['--verify', file, 'u'], { input: 'q\n' })).toEqual({
      code: 1,
      stdout: 'Password: \n',
      stderr: 'Error: Wrong password for user u.\n',
    });
  });

  test('--verify of a user that is not there, and of a hash that is none', async () => {
    write('u:x\n');
    expect(await passwd(['--verify', '--stdin', file, 'v'], { input: 'p' })).toMatchObject({
      code: 1,
      stderr: 'Warning: User v not found in password file.\n',
    });
    expect(await passwd(['--verify', '--stdin', file, 'u'], { input: 'x' })).toMatchObject({
      code: 1,
      stderr: 'Error: Unable to decode the hash at line 1.\n',
    });
  });

  test('neither needs the right to write', async () => {
    await passwd(['-c', '-b', file, 'u', 'p']);
    chmodSync(file, 0o400);
    expect((await passwd(['--list', file])).code).toBe(0);
    expect(await opens('u', 'p')).toBe(true);
  });
});

describe('the file', () => {
  test('behind a link is edited, and the link stays', async () => {
    mkdirSync(join(folder, 'd'));
    write('a:x\n', join(folder, 'd', 'target'));
    symlinkSync('d/target', file);
    expect((await passwd(['-b', file, 'u', 'p'])).code).toBe(0);
    expect(readlinkSync(file)).toBe('d/target');
    expect(read(join(folder, 'd', 'target'))).toBe('a:x\nu:sha512-pbkdf2\n');
    expect(readdirSync(folder).sort()).toEqual(['d', 'f']);
  });

  test('that is a folder is two errors in one line', async () => {
    expect(await passwd(['-b', folder, 'u', 'p'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: ${folder} is not a file.Error: Unable to open password file ${folder}. Is a directory.\n`,
    });
  });

  test('with a name that is not UTF-8', async () => {
    const path = Buffer.concat([Buffer.from(folder), Buffer.of(0x2f, 0xff)]);
    expect((await passwd(['-c', '-b', path, 'u', 'p'])).code).toBe(0);
    expect((await passwd(['-b', path, 'v', 'p'])).code).toBe(0);
    expect((await passwd(['--list', path])).stdout).toBe('u\nv\n');
  });

  test.each([0o600, 0o640, 0o400 | 0o200])('keeps mode %o', async (mode) => {
    write('a:x\n');
    chmodSync(file, mode);
    expect((await passwd(['-b', file, 'u', 'p'])).code).toBe(0);
    expect(statSync(file).mode & 0o7777).toBe(mode);
  });

  test('with another name keeps its inode, and leaves no backup', async () => {
    write('a:x\nb:a much longer line than what will be left\n');
    linkSync(file, join(folder, 'other'));
    expect((await passwd(['-D', file, 'b'])).code).toBe(0);
    expect(read(join(folder, 'other'))).toBe('a:x\n');
    expect(readdirSync(folder).sort()).toEqual(['f', 'other']);
  });

  test('that others may read or write is a warning', async () => {
    write('a:x\n');
    chmodSync(file, 0o604);
    expect(await passwd(['-b', file, 'u', 'p'])).toMatchObject({
      code: 0,
      stderr:
        `Warning: File ${file} has world readable permissions. Future versions will refuse to load this file.\n` +
        `To fix this, use \`chmod 0700 ${file}\`.\n`,
    });
  });

  test.runIf(userInfo().uid === 0)('of somebody else keeps its owner, with warnings', async () => {
    write('a:x\n');
    chownSync(file, 12345, 23456);
    expect(await passwd(['-b', file, 'u', 'p'])).toMatchObject({
      code: 0,
      stderr:
        `Warning: File ${file} owner is not root. Future versions will refuse to load this file.` +
        `To fix this, use \`chown root ${file}\`.\n` +
        `Warning: File ${file} group is not root. Future versions will refuse to load this file.\n`,
    });
    expect(statSync(file)).toMatchObject({ uid: 12345, gid: 23456 });
    expect(statSync(file).mode & 0o7777).toBe(0o600);
  });
});
