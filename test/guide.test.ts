import path from 'node:path';
import { expect, test } from 'vitest';
import { onlyPi, withPasswords } from './support/accounts.js';
import { describeBrokers, type RunningBroker, startBroker } from './support/brokers.js';
import { temporaryFolder } from './support/folder.js';
import { runProgram, startSubscriber } from './support/programs.js';
import { Terminal } from './support/terminal.js';

/** How a broker that wants a password answers without the right one, by `-V` (cli §17.2). */
// biome-ignore format: one row a line
const refusals = [
  { version: '31', code: 5, text: 'Connection Refused: not authorised', error: 'The connection was refused' },
  { version: '311', code: 5, text: 'Connection Refused: not authorised', error: 'The connection was refused' },
  { version: '5', code: 135, text: 'Not authorized', error: 'A network protocol error occurred when communicating with the broker' },
];

async function password(folder: string, args: string[], typed: string): Promise<void> {
  const terminal = new Terminal('tsmqtt-passwd', args, folder);
  await terminal.answer('Password: ', typed);
  await terminal.answer('Reenter password: ', typed);
  expect(await terminal.exitCode()).toBe(0);
  expect(terminal.screen).not.toContain(typed);
}

async function publishAs(broker: RunningBroker, user: string, typed: string): Promise<number | null> {
  const args = [...broker.at, '-u', user, '-P', typed, '-t', 'hello/world', '-m', 'hi'];
  return (await runProgram('tsmqtt-pub', args)).code;
}

describeBrokers('the guide', (name) => {
  test('a subscriber with a password gets what a publisher with a password says', async () => {
    const broker = await startBroker(name, await onlyPi());
    const at = ['-h', '127.0.0.1', '-p', String(broker.port)];
    const subscriber = await startSubscriber(['-t', '#', '-v', '-u', 'pi', '-P', '123', ...at]);
    const hello = ['-t', 'hello/world', '-m', 'Hello, World', ...at, '-u', 'pi', '-P', '123'];
    const { code, stdout, stderr } = await runProgram('tsmqtt-pub', hello);
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    await subscriber.message('hello/world Hello, World');
    expect(await subscriber.stop()).toEqual(['hello/world Hello, World']);
  });

  test('passwords typed on a terminal let in who has them, and a changed one replaces the old one', async () => {
    const folder = temporaryFolder();
    await password(folder, ['-c', 'passwd', 'ssbun'], 'one secret');
    await password(folder, ['passwd', 'pi'], 'another one');
    const setup = { folder, conf: withPasswords(path.join(folder, 'passwd')) };
    const before = await startBroker(name, setup);
    expect(await publishAs(before, 'ssbun', 'one secret')).toBe(0);
    expect(await publishAs(before, 'pi', 'another one')).toBe(0);
    expect(await publishAs(before, 'pi', 'one secret')).toBe(5);
    await before.child.kill();

    await password(folder, ['passwd', 'ssbun'], 'a new secret');
    const after = await startBroker(name, setup);
    expect(await publishAs(after, 'ssbun', 'a new secret')).toBe(0);
    expect(await publishAs(after, 'ssbun', 'one secret')).toBe(5);
    expect(await publishAs(after, 'pi', 'another one')).toBe(0);
  });

  for (const { version, code, text, error } of refusals) {
    test(`a wrong password with -V ${version} is refused with ${code}`, async () => {
      const broker = await startBroker(name, await onlyPi());
      const wrong = [...broker.at, '-V', version, '-u', 'pi', '-P', '321', '-t', 'hello/world'];
      const publisher = await runProgram('tsmqtt-pub', [...wrong, '-m', 'Hello, World']);
      expect(publisher).toMatchObject({ code, stderr: `Connection error: ${text}\nError: ${error}\n` });
      const subscriber = await runProgram('tsmqtt-sub', wrong);
      expect(subscriber).toMatchObject({ code, stderr: `Connection error: ${text}\n` });
      expect(subscriber.stdout.toString()).toBe('');
    });

    test(`no password with -V ${version} is refused with ${code}`, async () => {
      const broker = await startBroker(name, await onlyPi());
      const anonymous = [...broker.at, '-V', version, '-t', 'hello/world', '-m', 'Hello, World'];
      expect(await runProgram('tsmqtt-pub', anonymous)).toMatchObject({ code });
    });
  }
});
