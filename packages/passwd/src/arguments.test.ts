import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { CONFLICTS, OPTIONS } from './option-table.js';
import { run } from './run.js';
import { usageText } from './usage.js';

const folder = mkdtempSync(join(tmpdir(), 'passwd-arguments-'));
const file = join(folder, 'f');

afterAll(() => rmSync(folder, { recursive: true }));

async function passwd(...args: (string | Buffer)[]) {
  const fake = fakeIo('');
  const code = await run(
    args.map((arg) => Buffer.from(arg)),
    fake.io,
  );
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}

// biome-ignore format: one row a line
const errors: [string, (string | Buffer)[], string][] = [
  ['-H without a value', ['-H'], 'Error: -H argument given but not enough other arguments.'],
  ['-I without a value', ['-b', '-I'], 'Error: -I argument given but not enough other arguments.'],
  ['an unknown hash', ['-H', 'md5', file, 'u'], "Error: Unknown hash type 'md5'"],
  ['a hash that is not UTF-8', ['-H', Buffer.of(0xff), file, 'u'], "Error: Unknown hash type '\xff'"],
  ['no iterations', ['-I', '0', file, 'u'], 'Error: Number of iterations must be > 0.'],
  ['negative iterations', ['-I', '-5', file, 'u'], 'Error: Number of iterations must be > 0.'],
  ['iterations that are no number (P-4)', ['-I', '10x', file, 'u'], 'Error: Number of iterations must be > 0.'],
  ['empty iterations', ['-I', '', file, 'u'], 'Error: Number of iterations must be > 0.'],
  ['more iterations than can be done', ['-I', '2147483648', file, 'u'], 'Error: Number of iterations must be <= 2147483647.'],
  ['a bad value before a conflict', ['-c', '-D', '-I', '0', file, 'u'], 'Error: Number of iterations must be > 0.'],
  ['-c and -D', ['-c', '-D'], 'Error: -c and -D cannot be used together.'],
  ['-c and -U', ['-U', '-c'], 'Error: -c and -U cannot be used together.'],
  ['-D and -U', ['-U', '-D'], 'Error: -D and -U cannot be used together.'],
  ['-b and -D', ['-D', '-b'], 'Error: -b and -D cannot be used together.'],
  ['the first conflict of several', ['-U', '-D', '-c', '-b'], 'Error: -c and -D cannot be used together.'],
  ['-b and --stdin', ['--stdin', '-b'], 'Error: -b and --stdin cannot be used together.'],
  ['--verify and -b', ['--verify', '-b', file, 'u', 'p'], 'Error: --verify and -b cannot be used together.'],
  ['--list and --verify', ['--list', '--verify', file], 'Error: --list and --verify cannot be used together.'],
  ['--import and -b', ['-b', '--import', file], 'Error: --import and -b cannot be used together.'],
  ['--import and -D', ['--import', '-D', file], 'Error: --import and -D cannot be used together.'],
  ['--import and -U', ['--import', '-U', file], 'Error: --import and -U cannot be used together.'],
  ['--import and --stdin', ['--import', '--stdin', file], 'Error: --import and --stdin cannot be used together.'],
  ['--verify and --import', ['--import', '--verify', file], 'Error: --verify and --import cannot be used together.'],
  ['--list and --import', ['--import', '--list', file], 'Error: --list and --import cannot be used together.'],
  ['--import without a file', ['--import'], 'Error: --import argument given but password file missing.'],
  ['--import with too much', ['--import', file, 'u'], 'Error: --import argument given but password file missing.'],
  ['too few iterations for SCRAM, whichever comes first', ['-I', '4095', '-H', 'scram-sha-256', file, 'u'], 'Error: Number of iterations must be >= 4096 for scram-sha-256.'],
  ['-c -b without a password', ['-c', '-b', file, 'u'], 'Error: -c argument given but password file, username, or password missing.'],
  ['-c without a user', ['-c', file], 'Error: -c argument given but password file or username missing.'],
  ['-D without a user', ['-D', file], 'Error: -D argument given but password file or username missing.'],
  ['-U without a file', ['-U'], 'Error: -U argument given but password file missing.'],
  ['-U with too much', ['-U', file, 'u'], 'Error: -U argument given but password file missing.'],
  ['--verify without a user', ['--verify', file], 'Error: --verify argument given but password file or username missing.'],
  ['--list without a file', ['--list'], 'Error: --list argument given but password file missing.'],
  ['a user name that is too long', ['-b', file, 'u'.repeat(65_536), 'p'], 'Error: Username must be less than 65536 characters long.'],
  ['a control character', ['-b', file, 'a\x1fb', 'p'], 'Error: Username must not contain control characters.'],
  ['the delete character', ['-b', file, 'a\x7f', 'p'], 'Error: Username must not contain control characters.'],
  ['a control character before a colon', ['-b', file, ':\n', 'p'], 'Error: Username must not contain control characters.'],
  ['a colon', ['-D', file, 'a:b'], "Error: Username must not contain the ':' character."],
  ['no user name', ['-b', file, '', 'p'], 'Error: Username must not be empty.'],
  ['a blank before', ['-b', file, ' u', 'p'], 'Error: Username must not begin or end with a blank.'],
  ['a blank behind', ['-b', file, 'u ', 'p'], 'Error: Username must not begin or end with a blank.'],
  ['a name that would be a comment', ['-b', file, '#u', 'p'], "Error: Username must not begin with '#'."],
  ['a password that is too long', ['-b', file, 'u', 'p'.repeat(65_536)], 'Error: Password must be less than 65536 characters long.'],
  ['the name before the password', ['-b', file, '', 'p'.repeat(65_536)], 'Error: Username must not be empty.'],
  ['the password before the file', ['-c', '-b', '/nowhere/f', 'u', 'p'.repeat(65_536)], 'Error: Password must be less than 65536 characters long.'],
  ['an option behind the file', [file, '-D', 'u'], ''],
  ['a file that does not exist', ['-b', file, 'u', 'p'], `Error: Unable to open password file ${file}. No such file or directory.`],
  ['an option that does not exist, as the file', ['-x', 'u'], 'Error: Unable to open password file -x. No such file or directory.'],
];

test.each(errors)('%s: exit 1, its text on stderr, no file', async (_, args, message) => {
  const { code, stderr } = await passwd(...args);
  expect(code).toBe(1);
  expect(stderr).toBe(message && `${message}\n`);
  expect(readdirSync(folder)).toEqual([]);
});

// biome-ignore format: one row a line
const usages: [string, string[]][] = [
  ['no arguments', []],
  ['only a file', [file]],
  ['an argument too many', [file, 'u', 'p']],
  ['-b without a password', ['-b', file, 'u']],
  ['-b with too much', ['-b', file, 'u', 'p', 'q']],
  ['only options', ['-b', '-H', 'sha512']],
];
test.each(usages)('%s: the usage text on stdout, exit 1', async (_, args) => {
  expect(await passwd(...args)).toEqual({ code: 1, stdout: usageText('tsmqtt-passwd'), stderr: '' });
});

describe('--help and --version', () => {
  test('exit 0 (P-3)', async () => {
    expect(await passwd('--help')).toEqual({ code: 0, stdout: usageText('tsmqtt-passwd'), stderr: '' });
    const version = await passwd('--version');
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^tsmqtt-passwd version \d+\.\d+\.\d+ running on \S+ \d+\.\d+\.\d+\.\n$/);
    expect(usageText('tsmqtt-passwd')).toContain(version.stdout);
  });

  test('act where they are reached', async () => {
    expect((await passwd('-c', '-D', '--help', '-I', '0')).code).toBe(0);
    expect((await passwd('-I', '0', '--help')).code).toBe(1);
  });

  test('name every option', () => {
    const lines = usageText('x').split('\n');
    for (const { name, help } of OPTIONS) {
      expect(lines.some((line) => line.startsWith(`  ${name} `) && line.endsWith(` ${help}`))).toBe(true);
    }
  });
});

describe('the option table', () => {
  test('has each name once', () => {
    expect(new Set(OPTIONS.map(({ name }) => name)).size).toBe(OPTIONS.length);
  });

  test.each(CONFLICTS)('%s and %s are options', (...flags) => {
    for (const flag of flags) expect(OPTIONS.some(({ effect }) => effect === flag)).toBe(true);
  });
});
