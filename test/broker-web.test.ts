import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type BrokerSetup, startBroker, startBrokerProcess } from './support/brokers.js';
import { startChild } from './support/child.js';
import { temporaryFolder, writeFiles } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { describePeer } from './support/peers.js';
import { runProgram, startSubscriber } from './support/programs.js';
import { workspaceRoot } from './support/workspace.js';

const HOST = '127.0.0.1';

/** A broker with a second listener of these lines; answers that one's port. */
async function withListener(...lines: readonly string[]): Promise<number> {
  const port = await freePort();
  const conf: BrokerSetup['conf'] = ['allow_anonymous true', `listener ${port} ${HOST}`, ...lines];
  await startBroker('tsmqtt-broker', { conf });
  return port;
}

const web = (port: number): string[] => ['-h', HOST, '-p', String(port), '--ws'];

test.each(['0', '1', '2'])('a pipeline over WebSocket, QoS %s', async (qos) => {
  const port = await withListener('protocol websockets');
  const count = 20_000;
  const lines = Array.from({ length: count }, (_, number) => `line ${number} ${'x'.repeat(number % 300)}`);
  const subscriber = await startSubscriber([...web(port), '-t', 'lines', '-q', qos, '-C', String(count)]);
  const sent = await runProgram('tsmqtt-pub', [...web(port), '-t', 'lines', '-q', qos, '-l'], {
    input: `${lines.join('\n')}\n`,
  });
  expect([sent.code, sent.stderr]).toEqual([0, '']);
  await subscriber.child.ended;
  expect(subscriber.messages).toEqual(lines);
});

test('a payload of 1.5 MB over WebSocket, and one that is too large', async () => {
  const port = await withListener('protocol websockets');
  const payload = 'x'.repeat(1_500_000);
  const publish = [...web(port), '-t', 'a', '-r', '-q', '1', '-s'];
  expect((await runProgram('tsmqtt-pub', publish, { input: payload })).code).toBe(0);
  const got = await runProgram('tsmqtt-sub', [...web(port), '-t', 'a', '-C', '1', '-N', '-W', '20']);
  expect(got.stdout.toString() === payload).toBe(true);
  const tooLarge = await runProgram('tsmqtt-pub', [...publish, '-V', '5'], { input: 'x'.repeat(2_100_000) });
  expect(tooLarge.code).not.toBe(0);
});

const PAHO = `
import sys
import paho.mqtt.client as mqtt
port, version = int(sys.argv[1]), int(sys.argv[2])
client = mqtt.Client("paho", transport="websockets", protocol=version)
client.ws_set_options(path="/any")
def connected(client, *rest):
    client.subscribe("a/#", 2)
def subscribed(client, *rest):
    client.publish("a/b", b"x" * 100000, 2)
def received(client, _, message):
    print(message.topic, message.qos, len(message.payload))
    client.disconnect()
client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, received
client.connect("127.0.0.1", port)
client.loop_forever()
`;

describePeer('paho', "Python's paho over WebSocket", (python) => {
  test.each(['3', '4', '5'])('version %s', async (version) => {
    const port = await withListener('protocol websockets');
    const { code, stdout, stderr } = await startChild(python, ['-c', PAHO, String(port), version]).ended;
    expect([code, stdout.toString(), stderr]).toEqual([0, 'a/b 2 100000\n', '']);
  });
});

test('a configuration with an HTTP API alone starts, answers and ends', async () => {
  const port = await freePort();
  const folder = temporaryFolder();
  writeFiles(folder, {
    'mosquitto.conf': `user root\nallow_anonymous true\nlistener ${port} ${HOST}\nprotocol http_api\nhttp_dir ${folder}\n`,
    'index.html': 'hello',
  });
  const broker = startBrokerProcess('tsmqtt-broker', ['-c', `${folder}/mosquitto.conf`]);
  await broker.line(/version \S+ running$/, 'stderr');
  const get = async (path: string): Promise<string> => (await fetch(`http://${HOST}:${port}${path}`)).text();
  expect(await get('/')).toBe('hello');
  expect(await get('/metrics')).toContain('\ntsmqtt_clients 0\n');
  expect(JSON.parse(await get('/api/v1/listeners'))).toEqual({
    listeners: [{ port, protocol: 'httpapi', tls: false, mtls: false, allow_anonymous: true }],
  });
  await broker.kill('SIGTERM');
  expect((await broker.ended).code).toBe(0);
});

test('every configuration in the guide is one', async () => {
  const guide = readFileSync(path.join(workspaceRoot, 'docs', 'guide', 'web.md'), 'utf8');
  const examples = guide.split('```').filter((_, index) => index % 2 === 1);
  expect(examples).toHaveLength(3);
  for (const text of examples) {
    const folder = temporaryFolder({ 'mosquitto.conf': text.trimStart() });
    const test = startBrokerProcess('tsmqtt-broker', ['-c', `${folder}/mosquitto.conf`, '--test-config']);
    const { code, stderr } = await test.ended;
    expect([code, stderr]).toEqual([0, expect.stringMatching(/Configuration file is OK\.\n$/)]);
  }
});
