import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { PasswordVerifier } from '@tsmqtt/credentials';
import { describe, expect, test } from 'vitest';
import { withPasswords } from './support/accounts.js';
import { describeBrokers, type RunningBroker, startBroker } from './support/brokers.js';
import { startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { describePeer, findPeer } from './support/peers.js';
import { runProgram } from './support/programs.js';

const run = promisify(execFile);

async function passwd(args: readonly string[], input = ''): Promise<number | null> {
  return (await runProgram('tsmqtt-passwd', args, { input })).code;
}

function users(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(':')[0] ?? '');
}

describePeer('mosquitto_passwd', 'a password file that mosquitto_passwd wrote', (reference) => {
  test.each([
    ['sha512-pbkdf2', '$7$'],
    ['sha512', '$6$'],
  ])('%s: verified, listed, changed by tsmqtt-passwd', async (kind, prefix) => {
    const file = path.join(temporaryFolder(), 'f');
    await run(reference, ['-H', kind, '-c', '-b', file, 'ssbun', '123']);
    await run(reference, ['-H', kind, '-b', file, 'pi', 'Ünïcode: 100 %']);
    expect(readFileSync(file, 'utf8')).toContain(`pi:${prefix}`);
    expect(await passwd(['--verify', '--stdin', file, 'pi'], 'Ünïcode: 100 %\n')).toBe(0);
    expect(await passwd(['--verify', '--stdin', file, 'pi'], '123\n')).toBe(1);
    expect((await runProgram('tsmqtt-passwd', ['--list', file])).stdout.toString()).toBe('ssbun\npi\n');

    const before = readFileSync(file, 'utf8');
    expect(await passwd(['-b', file, 'ssbun', 'new'])).toBe(0);
    expect(readFileSync(file, 'utf8').split('\n')[1]).toBe(before.split('\n')[1]);
    const verifier = PasswordVerifier.fromText(readFileSync(file), file);
    expect(await verifier.verify('ssbun', Buffer.from('new'))).toBe('accepted');
    expect(await verifier.verify('pi', Buffer.from('Ünïcode: 100 %'))).toBe('accepted');
  });

  test('with plain text that it hashed', async () => {
    const folder = temporaryFolder({ f: 'a:x\nb:y\n' });
    const file = path.join(folder, 'f');
    await run(reference, ['-U', file]);
    const hashed = readFileSync(file);
    expect(await passwd(['-U', file])).toBe(0);
    expect(readFileSync(file)).toEqual(hashed);
    expect(await passwd(['--verify', '--stdin', file, 'b'], 'y')).toBe(0);
  });
});

describePeer('mosquitto_passwd', 'a password file that tsmqtt-passwd wrote', (reference) => {
  test('is changed by mosquitto_passwd, and by tsmqtt-passwd again', async () => {
    const file = path.join(temporaryFolder(), 'f');
    expect(await passwd(['-c', '-b', file, 'a', 'p'])).toBe(0);
    await run(reference, ['-b', file, 'b', 'q']);
    expect(await passwd(['-H', 'sha512', '-b', file, 'c', 'r'])).toBe(0);
    await run(reference, ['-b', file, 'a', 'new']);
    await run(reference, ['-D', file, 'c']);
    expect(users(file)).toEqual(['a', 'b']);
    expect(await passwd(['--verify', '--stdin', file, 'a'], 'new')).toBe(0);
    expect(await passwd(['--verify', '--stdin', file, 'b'], 'q')).toBe(0);
  });
});

/** Passwords that a shell, a colon, an encoding or a buffer could spoil; bcrypt looks at 72 bytes. */
const ACCOUNTS = [
  { user: 'pi', password: '123' },
  { user: 'colon', password: 'a:b::c' },
  { user: 'blanks', password: '  two words ' },
  { user: 'ünï', password: 'Ünïcode: 100 % €' },
  { user: 'dollars', password: '$7$1$x$y' },
  { user: 'long', password: 'x'.repeat(71) },
];

/** Who writes an entry and how, and whether each broker reads such a file. */
// biome-ignore format: one row a line
const ENTRIES = [
  { writer: 'tsmqtt-passwd', options: [], begins: '$7$10000$', mosquitto: true, tsmqtt: true },
  { writer: 'tsmqtt-passwd', options: ['-I', '101'], begins: '$7$101$', mosquitto: true, tsmqtt: true },
  { writer: 'tsmqtt-passwd', options: ['-H', 'sha512'], begins: '$6$', mosquitto: true, tsmqtt: true },
  { writer: 'tsmqtt-passwd', options: ['-H', 'argon2id'], begins: '$argon2id$v=19$m=47104,t=1,p=1$', mosquitto: false, tsmqtt: true },
  { writer: 'tsmqtt-passwd', options: ['-H', 'bcrypt'], begins: '$2b$12$', mosquitto: false, tsmqtt: true },
  { writer: 'tsmqtt-passwd', options: ['-H', 'scram-sha-256'], begins: '$scram-sha-256$10000$', mosquitto: false, tsmqtt: false },
  { writer: 'mosquitto_passwd', options: [], begins: '$7$101$', mosquitto: true, tsmqtt: true },
  { writer: 'mosquitto_passwd', options: ['-H', 'sha512'], begins: '$6$', mosquitto: true, tsmqtt: true },
] as const;

describePeer('mosquitto', 'a password file', () => {
  describePeer('mosquitto_passwd', 'of all users', (reference) => {
    describe.each(ENTRIES)('$writer $options: $begins', ({ writer, options, begins, ...readers }) => {
      async function writeFile(): Promise<string> {
        const file = path.join(temporaryFolder(), 'passwd');
        if (writer === 'tsmqtt-passwd') {
          const list = ACCOUNTS.map(({ user, password }) => `${user}:${password}\n`).join('');
          expect(await passwd([...options, '-c', '--import', file], list)).toBe(0);
        } else {
          for (const [index, { user, password }] of ACCOUNTS.entries()) {
            await run(reference, [...options, ...(index === 0 ? ['-c'] : []), '-b', file, user, password]);
          }
        }
        for (const { user } of ACCOUNTS) expect(readFileSync(file, 'utf8')).toContain(`${user}:${begins}`);
        return file;
      }

      test('tsmqtt-passwd verifies every password, and no other', async () => {
        const file = await writeFile();
        const verify = ({ user, password }: { user: string; password: string }) =>
          passwd(['--verify', '--stdin', file, user], password);
        expect(await Promise.all(ACCOUNTS.map(verify))).toEqual(ACCOUNTS.map(() => 0));
        expect(await verify({ user: 'pi', password: '1234' })).toBe(1);
        expect(await verify({ user: 'long', password: 'x'.repeat(70) })).toBe(1);
      });

      test.each(['mosquitto', 'tsmqtt-broker'] as const)('%s', async (name) => {
        const file = await writeFile();
        const reads = name === 'mosquitto' ? readers.mosquitto : readers.tsmqtt;
        const setup = { conf: withPasswords(file) };
        if (name === 'tsmqtt-broker' && !reads) {
          const why = `password-file: Error: Unable to decode line in password file '${file}'. (line 1)`;
          await expect(startBroker(name, setup)).rejects.toThrow(
            expect.objectContaining({ message: expect.stringMatching(/ended with 3\n/) }),
          );
          await expect(startBroker(name, setup)).rejects.toThrow(why);
          return;
        }
        const broker = await startBroker(name, setup);
        // Mosquitto starts without the users whose hash it does not know.
        if (!reads) expect(broker.child.stderr).toContain('Error: Invalid password hash type for user pi');
        const codes = await Promise.all(
          ACCOUNTS.map(async ({ user, password }) => [
            await logIn(broker, user, password),
            await logIn(broker, user, `${password}x`),
          ]),
        );
        expect(codes).toEqual(ACCOUNTS.map(() => [reads ? 0 : 5, 5]));
        expect(await logIn(broker, 'nobody', '123')).toBe(5);
      });
    });
  });

  test.each(['mosquitto', 'tsmqtt-broker'] as const)(
    '%s reads one with comments, blank lines and CRLF that tsmqtt-passwd has changed',
    async (name) => {
      const folder = temporaryFolder({ passwd: '# staff\r\n\r\npi:plain\r\n#old:entry\n\ngone:plain' });
      const file = path.join(folder, 'passwd');
      expect(await passwd(['-U', file])).toBe(0);
      expect(await passwd(['-b', file, 'ssbun', 'secret'])).toBe(0);
      expect(await passwd(['-D', file, 'gone'])).toBe(0);
      expect(readFileSync(file, 'utf8')).toMatch(
        /^# staff\r\n\r\npi:\$7\$\S+\r\n#old:entry\n\nssbun:\$7\$\S+\n$/,
      );
      const broker = await startBroker(name, { conf: withPasswords(file) });
      expect(await logIn(broker, 'pi', 'plain')).toBe(0);
      expect(await logIn(broker, 'ssbun', 'secret')).toBe(0);
      expect(await logIn(broker, 'pi', 'secret')).toBe(5);
      expect(await logIn(broker, 'gone', 'plain')).toBe(5);
    },
  );
});

describeBrokers('a password that is changed while the broker runs', (name) => {
  test('is the right one after SIGHUP, and the one that was right before is not', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'passwd');
    expect(await passwd(['-c', '--import', file], 'pi:old\nssbun:same\n')).toBe(0);
    const broker = await startBroker(name, { conf: withPasswords(file) });
    // Twice: the second time it may be remembered.
    for (let time = 0; time < 2; time += 1) expect(await logIn(broker, 'pi', 'old')).toBe(0);
    expect(await passwd(['-b', file, 'pi', 'new'])).toBe(0);
    expect(await logIn(broker, 'pi', 'old')).toBe(0);
    process.kill(broker.child.pid, 'SIGHUP');
    while ((await logIn(broker, 'pi', 'new')) !== 0);
    expect(await logIn(broker, 'pi', 'old')).toBe(5);
    expect(await logIn(broker, 'ssbun', 'same')).toBe(0);
  });
});

/** Exit code of a publisher with that password: Debian's own one for Debian's broker. */
async function logIn(broker: RunningBroker, user: string, password: string): Promise<number | null> {
  const args = [...broker.at, '-u', user, '-P', password, '-t', 't', '-n'];
  if (broker.name === 'tsmqtt-broker') return (await runProgram('tsmqtt-pub', args)).code;
  return (await startChild(findPeer('mosquitto_pub') ?? 'mosquitto_pub', args, { input: '' }).ended).code;
}
