import { formatScramCredential, hashPassword, makeScramCredential } from '@tsmqtt/credentials';
import { describe, expect, test } from 'vitest';
import { passwd, passwdFolder } from '../test/passwd-folder.js';

const SCRAM = ['-H', 'scram-sha-256'];
const WARNING =
  'Warning: Mosquitto does not read scram-sha-256 credentials; they are for the scram_file of tsmqtt-broker.\n';
const hash = await hashPassword(Buffer.from('p'), { iterations: 1 });
const credential = formatScramCredential(await makeScramCredential(Buffer.from('p'), { iterations: 4096 }));

describe('scram-sha-256 (broker B-14)', () => {
  test('a new file, verified and changed', async () => {
    const { file, bytes, verify } = passwdFolder();
    expect(await passwd([...SCRAM, '-c', '-b', file, 'u', 'pencil'])).toEqual({
      code: 0,
      stdout: 'Adding password for user u\n',
      stderr: WARNING,
    });
    expect(bytes()).toMatch(/^u:\$scram-sha-256\$10000\$[A-Za-z0-9+/]{22}==(\$[A-Za-z0-9+/]{43}=){2}\n$/);
    expect(await verify('u', 'pencil')).toBe(true);
    expect(await verify('u', 'pencils')).toBe(false);
    expect((await passwd([...SCRAM, '-I', '4096', '-b', file, 'v', 'q'])).code).toBe(0);
    expect((await passwd([...SCRAM, '-b', file, 'u', 'new'])).code).toBe(0);
    expect(bytes()).toMatch(/^u:\$scram-sha-256\$10000\$\S+\nv:\$scram-sha-256\$4096\$\S+\n$/);
    expect([await verify('u', 'new'), await verify('v', 'q')]).toEqual([true, true]);
    expect((await passwd(['--list', file])).stdout).toBe('u\nv\n');
    expect((await passwd(['-D', file, 'u'])).code).toBe(0);
    expect((await passwd(['--list', file])).stdout).toBe('v\n');
  });

  test('many by -U and --import, warned about once', async () => {
    const { file, kinds, verify } = passwdFolder(`# c\na:plain\nb:text\nc:${credential}\n`);
    expect(await passwd([...SCRAM, '-U', file])).toEqual({
      code: 0,
      stdout: 'Hashed 2 passwords, 1 were hashed already.\n',
      stderr: WARNING,
    });
    expect(await passwd([...SCRAM, '--import', file], 'a:new\nd:q\n')).toEqual({
      code: 0,
      stdout: 'Added 1 user, updated 1.\n',
      stderr: WARNING,
    });
    expect(kinds()).toBe('# c\na:scram\nb:scram\nc:scram\nd:scram\n');
    for (const [username, password] of ['a new', 'b text', 'c p', 'd q'].map((pair) => pair.split(' '))) {
      expect(await verify(username!, password!)).toBe(true);
    }
  });

  // biome-ignore format: one row a line
  const refused: [string, string[], number, string][] = [
    ['fewer iterations than clients take', ['-I', '4095'], 1, 'Error: Number of iterations must be >= 4096 for scram-sha-256.\n'],
    ['a control character in the password', [], 10, `${WARNING}Error: Unable to hash password. (scram-sha-256 takes only UTF-8 text without control characters)\n`],
  ];
  test.each(refused)('%s', async (_, options, code, stderr) => {
    const { file, bytes } = passwdFolder('');
    expect(await passwd([...SCRAM, ...options, '-b', file, 'u', 'a\tb'])).toEqual({
      code,
      stdout: '',
      stderr,
    });
    expect(bytes()).toBe('');
  });
});

describe('password hashes and SCRAM credentials are not mixed in one file', () => {
  const commands: [string, string[]][] = [
    ['adding', ['-b', 'FILE', 'new', 'p']],
    ['changing', ['-b', 'FILE', 'b', 'p']],
    ['asking', ['FILE', 'new']],
    ['-U', ['-U', 'FILE']],
    ['--import', ['--import', 'FILE']],
  ];

  test.each(commands)('%s a SCRAM credential where hashes are', async (_, args) => {
    const content = `# c\na:plain\nb:${hash}\n`;
    const { file, bytes } = passwdFolder(content);
    expect(await passwd([...SCRAM, ...args.map((arg) => arg.replace('FILE', file))], 'x:y\n')).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: ${file} holds password hashes (line 3); scram-sha-256 credentials need a file of their own.\n`,
    });
    expect(bytes()).toBe(content);
  });

  test.each(commands)('%s a hash where SCRAM credentials are', async (_, args) => {
    const content = `# c\na:plain\nb:${credential}\n`;
    const { file, bytes } = passwdFolder(content);
    for (const options of [[], ['-H', 'argon2id']]) {
      expect(await passwd([...options, ...args.map((arg) => arg.replace('FILE', file))], 'x:y\n')).toEqual({
        code: 1,
        stdout: '',
        stderr: `Error: ${file} holds scram-sha-256 credentials (line 3), no password hashes; use -H scram-sha-256, or another file.\n`,
      });
    }
    expect(bytes()).toBe(content);
  });
});
