import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startBroker, startBrokerProcess } from './support/brokers.js';
import { fakePeer } from './support/fake-peer.js';
import { temporaryFolder } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { runProgram, startSubscriber } from './support/programs.js';

describe('a program', () => {
  for (const program of ['tsmqtt-pub', 'tsmqtt-sub'] as const) {
    const say = program === 'tsmqtt-pub' ? ['-m', 'b'] : [];

    test(`${program} says that nobody listens, and where`, async () => {
      const at = ['-h', '127.0.0.1', '-p', String(await freePort())];
      const { code, stderr } = await runProgram(program, [...at, '-t', 'a', ...say]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `Error: Connection refused (127.0.0.1:${at[3]})\n`,
      });
    });

    test(`${program} gives up on an answer that is not MQTT with one line`, async () => {
      const port = await fakePeer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      const args = ['-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-W', '5', ...say];
      const { code, stderr, stdout } = await runProgram(
        program,
        args.filter((arg, index) => program === 'tsmqtt-sub' || (arg !== '-W' && args[index - 1] !== '-W')),
      );
      expect(code).toBeGreaterThan(0);
      expect(stderr).toMatch(/^Error: .+\n$/);
      expect(stdout.toString()).toBe('');
    });
  }

  test('tsmqtt-pub says that a broker closed in the middle of the handshake', async () => {
    const port = await fakePeer((socket) => socket.once('data', () => socket.end()));
    const at = ['-h', '127.0.0.1', '-p', String(port)];
    const { code, stderr } = await runProgram('tsmqtt-pub', [...at, '-t', 'a', '-m', 'b']);
    expect({ code, stderr }).toEqual({ code: 7, stderr: 'Error: The connection was lost\n' });
  });
});

describe('tsmqtt-broker', () => {
  async function refuses(
    conf: string[],
    before: string[] = [],
  ): Promise<{ code: number | null; stderr: string }> {
    const folder = temporaryFolder({ 'mosquitto.conf': `${[...before, ...conf].join('\n')}\n` });
    const broker = startBrokerProcess('tsmqtt-broker', ['-c', path.join(folder, 'mosquitto.conf')]);
    const { code, stderr } = await broker.ended;
    return { code, stderr: stderr.replaceAll(folder, 'FOLDER') };
  }

  test('says that its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, stderr } = await refuses([`listener ${port} 127.0.0.1`, 'user root']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^.*Error: Address already in use/m);
  });

  test('says which password file it cannot open', async () => {
    const conf = [`listener ${await freePort()} 127.0.0.1`, 'user root', 'password_file /nowhere/passwd'];
    const { code, stderr } = await refuses(conf);
    expect(code).toBe(13);
    expect(stderr).toMatch(/^.*Error: .*\/nowhere\/passwd/m);
  });

  // biome-ignore format: one row a line
  test.each([
    ['an option that it does not know', 'no_such_option true', "Error: Unknown configuration variable 'no_such_option'."],
    ['an option without its value', 'allow_anonymous', "Error: Empty 'allow_anonymous' value in configuration."],
    ['a value that is not one', 'allow_anonymous perhaps', "Error: Invalid 'allow_anonymous' value (perhaps)."],
    ['a number that is not one', 'max_keepalive ten', "Error: 'max_keepalive' value not a number."],
  ])('names %s, its file and its line', async (_, line, message) => {
    const { code, stderr } = await refuses(['listener 1883 127.0.0.1', line]);
    expect(code).toBe(3);
    expect(stderr).toContain(message);
    expect(stderr).toContain('Error found at FOLDER/mosquitto.conf:2.');
  });

  test('closes on bytes that are not MQTT, and nobody else notices', async () => {
    const broker = await startBroker('tsmqtt-broker');
    const subscriber = await startSubscriber([...broker.at, '-t', 'a']);
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      '\x00\x00',
      '\x10\xff\xff\xff\xff\xff',
      '\xf0\x00',
      '\x30\x03',
    ]) {
      const socket = connect(broker.port, '127.0.0.1');
      socket.resume();
      socket.end(Buffer.from(bytes, 'latin1'));
      await once(socket, 'close');
    }
    await runProgram('tsmqtt-pub', [...broker.at, '-t', 'a', '-m', 'still here']);
    await subscriber.message('still here');
    expect(await subscriber.stop()).toEqual(['still here']);
  });
});
