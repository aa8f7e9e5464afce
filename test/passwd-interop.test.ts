import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { PasswordVerifier } from '@tsmqtt/credentials';
import { expect, test } from 'vitest';
import { startBroker } from './support/brokers.js';
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

describePeer('mosquitto', 'Mosquitto and a file that tsmqtt-passwd wrote', () => {
  test('lets in who knows the password, whichever hash Mosquitto has', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'passwd');
    expect(await passwd(['-c', '-b', file, 'pbkdf2', 'p:1'])).toBe(0);
    expect(await passwd(['-I', '101', '-b', file, 'few', 'p2'])).toBe(0);
    expect(await passwd(['-H', 'sha512', '-b', file, 'sha512', 'Ünï'])).toBe(0);
    const conf = ['allow_anonymous false', `password_file ${file}`];
    const { at } = await startBroker('mosquitto', { conf });
    const publish = findPeer('mosquitto_pub');
    if (publish === undefined) throw new Error('mosquitto_pub is not installed');
    const attempt = async (user: string, password: string) => {
      const args = [...at, '-u', user, '-P', password, '-t', 't', '-n'];
      return (await startChild(publish, args, { input: '' }).ended).code;
    };
    expect(await attempt('pbkdf2', 'p:1')).toBe(0);
    expect(await attempt('few', 'p2')).toBe(0);
    expect(await attempt('sha512', 'Ünï')).toBe(0);
    expect(await attempt('pbkdf2', 'p2')).toBe(5);
    expect(await attempt('nobody', 'p2')).toBe(5);
  });
});
