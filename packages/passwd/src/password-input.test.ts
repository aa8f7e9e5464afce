import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { run } from './run.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passwd-input-'));
  file = join(folder, 'f');
});

afterEach(() => rmSync(folder, { recursive: true }));

function argv(...args: string[]): Buffer[] {
  return args.map((arg) => Buffer.from(arg));
}

async function passwd(args: string[], input: string | Buffer) {
  const fake = fakeIo(input);
  return { code: await run(argv(...args), fake.io), stdout: fake.stdout, stderr: fake.stderr };
}

async function opens(password: string): Promise<boolean> {
  return (await passwd(['--verify', '--stdin', file, 'u'], password)).code === 0;
}

const BOTH = 'Password: \nReenter password: ';

describe('two lines from a pipe', () => {
  // biome-ignore format: one row a line
  const accepted: [string, string, string][] = [
    ['lines', 'secret\nsecret\n', 'secret'],
    ['CRLF', 'secret\r\nsecret\n', 'secret'],
    ['no line feed at the end', 'secret\nsecret', 'secret'],
    ['blanks are kept', ' se cret \n se cret \n', ' se cret '],
    ['what follows a NUL does not count', 'secret\0one\nsecret\0two\n', 'secret'],
    ['further lines are not read', 'secret\nsecret\nother\n', 'secret'],
    ['the longest', `${'s'.repeat(65_499)}\n${'s'.repeat(65_499)}\n`, 's'.repeat(65_499)],
  ];
  test.each(accepted)('%s', async (_, input, password) => {
    expect(await passwd(['-c', '-I', '1', file, 'u'], input)).toEqual({
      code: 0,
      stdout: `${BOTH}\nAdding password for user u\n`,
      stderr: '',
    });
    expect(await opens(password)).toBe(true);
  });

  // biome-ignore format: one row a line
  const refused: [string, string, number, string, string][] = [
    ['two that differ', 'a\nb\n', 2, `${BOTH}\n`, 'Error: Passwords do not match.\n'],
    ['an empty first', '\na\n', 1, 'Password: ', 'Error: Empty password.\n'],
    ['an empty second', 'a\n\n', 1, BOTH, 'Error: Empty password.\n'],
    ['only a carriage return', '\r\n', 1, 'Password: ', 'Error: Empty password.\n'],
    ['only a NUL', '\0a\n', 1, 'Password: ', 'Error: Empty password.\n'],
    ['nothing', '', 1, 'Password: ', 'Error: Empty password.\n'],
    ['only one', 'a\n', 1, BOTH, 'Error: Empty password.\n'],
    ['one that is too long', `${'s'.repeat(65_500)}\n`, 1, 'Password: ', 'Error: Password must be less than 65500 characters long.\n'],
    ['one without an end', 's'.repeat(200_000), 1, 'Password: ', 'Error: Password must be less than 65500 characters long.\n'],
  ];
  test.each(refused)('%s, with -c: no file', async (_, input, code, stdout, stderr) => {
    expect(await passwd(['-c', file, 'u'], input)).toEqual({ code, stdout, stderr });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(refused)('%s, updating: the file is as it was', async (_, input, code, stdout, stderr) => {
    writeFileSync(file, 'u:x\n', { mode: 0o600 });
    expect(await passwd([file, 'u'], input)).toEqual({ code, stdout, stderr });
    expect(readFileSync(file, 'utf8')).toBe('u:x\n');
    expect(readdirSync(folder)).toEqual(['f']);
  });
});

test('what comes in pieces is put together, and a second line that came early is not lost', async () => {
  const fake = fakeIo();
  const ended = run(argv('-c', '-I', '1', file, 'u'), fake.io);
  await fake.promptShown('Password: ');
  fake.stdin.write('sec');
  fake.stdin.write('ret\nsec');
  await fake.promptShown('Reenter password: ');
  fake.stdin.write('ret\n');
  expect(await ended).toBe(0);
  expect(await opens('secret')).toBe(true);
});

test('without -c the file is looked at before anybody types', async () => {
  expect(await passwd([file, 'u'], 'a\na\n')).toMatchObject({ code: 1, stdout: '' });
});

test('with -c the password comes before the file is opened', async () => {
  writeFileSync(file, '', { mode: 0o600 });
  expect(await passwd(['-c', file, 'u'], 'a\nb\n')).toMatchObject({ code: 2 });
  expect(await passwd(['-c', file, 'u'], 'a\na\n')).toMatchObject({ code: 1, stdout: `${BOTH}\n` });
});

describe('--stdin (P-17)', () => {
  test('takes the first line, once, without asking', async () => {
    expect(await passwd(['-c', '--stdin', file, 'u'], 'secret\r\nother\n')).toEqual({
      code: 0,
      stdout: 'Adding password for user u\n',
      stderr: '',
    });
    expect(await opens('secret')).toBe(true);
    expect(await passwd(['--stdin', file, 'u'], 'new')).toMatchObject({ code: 0 });
    expect(await opens('new')).toBe(true);
  });

  test('an empty one is an error', async () => {
    expect(await passwd(['-c', '--stdin', file, 'u'], '\n')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: Empty password.\n',
    });
    expect(existsSync(file)).toBe(false);
  });
});

describe.each([
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const)('%s', (signal, number) => {
  test('at the prompt: exit 0, no file', async () => {
    const fake = fakeIo();
    const ended = run(argv('-c', file, 'u'), fake.io);
    await fake.promptShown('Password: ');
    expect(fake.raise(signal)).toBe(true);
    expect(await ended).toBe(0);
    expect([fake.stdout, fake.stderr]).toEqual(['Password: ', '']);
    expect(readdirSync(folder)).toEqual([]);
    expect(fake.raise(signal)).toBe(false);
  });

  test('at the second prompt: exit 0, the file as it was and nothing beside it', async () => {
    writeFileSync(file, 'u:x', { mode: 0o600 });
    const fake = fakeIo();
    const ended = run(argv(file, 'u'), fake.io);
    await fake.promptShown('Password: ');
    fake.stdin.write('a\n');
    await fake.promptShown('Reenter password: ');
    fake.raise(signal);
    expect(await ended).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('u:x');
    expect(readdirSync(folder)).toEqual(['f']);
  });

  test('while hashing: the end at once, and what still runs writes nothing', async () => {
    writeFileSync(file, 'u:x', { mode: 0o600 });
    const fake = fakeIo('p\n');
    const ended = run(argv('--stdin', '-I', '200000', file, 'u'), fake.io);
    // The file has been looked at and stdin is being read: from here on, all that is left is to hash and to write.
    await new Promise((resolve) => fake.stdin.once('end', resolve));
    fake.raise(signal);
    expect(await ended).toBe(128 + number);
    expect(readFileSync(file, 'utf8')).toBe('u:x');
    expect(fake.stdout).toBe('');
  });

  test('at the prompt of --verify: no exit code that says that the password was right', async () => {
    writeFileSync(file, 'u:$6$x', { mode: 0o600 });
    await run(argv('-b', file, 'u', 'p'), fakeIo('').io);
    const fake = fakeIo();
    const ended = run(argv('--verify', file, 'u'), fake.io);
    await fake.promptShown('Password: ');
    fake.raise(signal);
    expect(await ended).toBe(128 + number);
  });

  test('while --import reads: no exit code that says that it is done, and nothing written', async () => {
    writeFileSync(file, 'u:x', { mode: 0o600 });
    const fake = fakeIo();
    const ended = run(argv('--import', file), fake.io);
    fake.stdin.write('a:b\n');
    fake.raise(signal);
    expect(await ended).toBe(128 + number);
    expect(readFileSync(file, 'utf8')).toBe('u:x');
    expect(readdirSync(folder)).toEqual(['f']);
  });
});
