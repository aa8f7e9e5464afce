import { describe, expect, it } from 'vitest';
import { acknowledgement, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { DEFAULT_LISTENER } from '../settings.js';

const NOT_AVAILABLE = 'PUBLISH $CONTROL/x/response={"error": "endpoint not available"}';

describe('a topic below $CONTROL/ without an endpoint (broker §10.6)', () => {
  for (const protocolVersion of [3, 4, 5] as const) {
    it(`version ${protocolVersion}: is answered to the publisher alone, and acknowledged as ever`, async () => {
      const broker = new TestBroker();
      const watcher = await broker.connect({ clientId: 'watcher' });
      await watcher.send(subscribePacket({ '#': 2, '$CONTROL/#': 2, '$share/g/$CONTROL/#': 2 }));
      const client = await broker.connect({ protocolVersion });
      expect(await client.send(publishPacket('$CONTROL/x', 'a'))).toEqual([NOT_AVAILABLE]);
      expect(
        await client.send(publishPacket('$CONTROL/x', 'a', { qos: 1, packetId: 7, retain: true })),
      ).toEqual([NOT_AVAILABLE, 'PUBACK #7']);
      expect(await client.send(publishPacket('$CONTROL/x', 'a', { qos: 2, packetId: 8 }))).toEqual([
        'PUBREC #8',
      ]);
      expect(await client.send(acknowledgement('PUBREL', 8))).toEqual([NOT_AVAILABLE, 'PUBCOMP #8']);
      expect(await watcher.take()).toEqual([]);
      expect(broker.engine.retained.size).toBe(0);
    });
  }

  it.each(['$CONTROL', '$CONTROLx/y', 'a/$CONTROL/x', '$control/x'])('%s is none', async (topic) => {
    const broker = new TestBroker();
    const client = await broker.connect();
    await client.send(subscribePacket({ [topic]: 0 }));
    expect(await client.send(publishPacket(topic, '1'))).toEqual([`PUBLISH ${topic}=1`]);
  });

  it('has no answer where the topic of the answer would be too long', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    const topic = (length: number): string => `$CONTROL/${'x'.repeat(length - 9)}`;
    expect(await client.send(publishPacket(topic(65_526), 'a', { qos: 1 }))).toHaveLength(2);
    expect(await client.send(publishPacket(topic(65_527), 'a', { qos: 1 }))).toEqual(['PUBACK #1']);
  });

  it('is what $CONTROL/broker/v1 is by default', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    expect(await client.send(publishPacket('$CONTROL/broker/v1', '{}'))).toEqual([
      'PUBLISH $CONTROL/broker/v1/response={"error": "endpoint not available"}',
    ]);
  });
});

it('an endpoint of the host program answers to everybody who subscribed, and can be taken away', async () => {
  const broker = new TestBroker();
  const client = await broker.connect();
  await client.send(subscribePacket({ '$CONTROL/+/response': 0 }));
  broker.engine.control.set('$CONTROL/x', (payload) => payload.toString().toUpperCase());
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.send(subscribePacket({ '$CONTROL/#': 1 }));
  expect(await client.send(publishPacket('$CONTROL/x', 'abc', { qos: 1 }))).toEqual([
    'PUBLISH $CONTROL/x/response=ABC',
    'PUBACK #1',
  ]);
  expect(await watcher.take()).toEqual(['PUBLISH $CONTROL/x/response=ABC']);
  broker.engine.control.set('$CONTROL/x', undefined);
  expect(await client.send(publishPacket('$CONTROL/x', 'abc'))).toEqual([NOT_AVAILABLE]);
});

describe('$CONTROL/broker/v1 with enable_control_api', () => {
  const listeners = [
    { ...DEFAULT_LISTENER, port: 1883 },
    { ...DEFAULT_LISTENER, port: 8080, host: '127.0.0.1', protocol: 'websockets' as const },
    { ...DEFAULT_LISTENER, port: 0, path: '/run/m.sock' },
    { ...DEFAULT_LISTENER, port: 8883, certFile: 'c.pem', keyFile: 'k.pem' },
    { ...DEFAULT_LISTENER, port: 8884, pskHint: 'hint' },
  ];
  async function ask(payload: string): Promise<unknown> {
    const broker = new TestBroker({ settings: { enableControlApi: true, listeners } });
    const client = await broker.connect();
    await client.send(subscribePacket({ '$CONTROL/broker/v1/response': 1 }));
    const lines = await client.send(publishPacket('$CONTROL/broker/v1', payload, { qos: 1 }));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe('PUBACK #1');
    const [topic, ...rest] = lines[0]!.split('=');
    expect(topic).toBe('PUBLISH $CONTROL/broker/v1/response');
    return (JSON.parse(rest.join('=')) as { readonly responses: unknown }).responses;
  }
  const plugins = { command: 'listPlugins', data: { plugins: [] } };

  // biome-ignore format: one row a line
  const requests: readonly (readonly [payload: string, responses: readonly object[]])[] = [
    ['{"commands":[{"command":"listPlugins"}]}', [plugins]],
    ['{"commands":[{"command":"LISTplugins","correlationData":"c"}]}', [{ ...plugins, command: 'LISTplugins', correlationData: 'c' }]],
    ['{"commands":[]}', []],
    ['', [{ error: 'Payload not valid JSON' }]],
    ['{', [{ error: 'Payload not valid JSON' }]],
    ['[]', [{ error: 'Invalid/missing commands' }]],
    ['null', [{ error: 'Invalid/missing commands' }]],
    ['{}', [{ error: 'Invalid/missing commands' }]],
    ['{"commands":{}}', [{ error: 'Invalid/missing commands' }]],
    [JSON.stringify({ commands: Array(1001).fill({ command: 'listListeners' }) }), [{ error: 'Invalid/missing commands' }]],
    [JSON.stringify({ commands: [{ command: 'x'.repeat(1_048_576) }] }), [{ error: 'Invalid/missing commands' }]],
    ['{"commands":[1,null,[]]}', [{ error: 'Command not an object' }, { error: 'Command not an object' }, { error: 'Command not an object' }]],
    ['{"commands":[{}]}', [{ error: 'Missing command' }]],
    ['{"commands":[{"command":1}]}', [{ error: 'Missing command' }]],
    ['{"commands":[{"command":"none"}]}', [{ command: 'none', error: 'Unknown command' }]],
    ['{"commands":[{"command":"none","correlationData":"c"}]}', [{ command: 'none', error: 'Unknown command', correlationData: 'c' }]],
    ['{"commands":[{"command":"listPlugins","correlationData":1}]}', [{ command: 'listPlugins', error: 'Invalid correlationData data type.' }]],
    ['{"commands":[{"command":"none"},{"command":"listPlugins"}]}', [{ command: 'none', error: 'Unknown command' }, plugins]],
  ];
  it.each(requests.map(([payload, responses]) => [payload.slice(0, 100), payload, responses] as const))(
    '%s',
    async (_title, payload, responses) => {
      expect(await ask(payload)).toEqual(responses);
    },
  );

  it('lists the listeners', async () => {
    expect(await ask('{"commands":[{"command":"listListeners"}]}')).toEqual([
      {
        command: 'listListeners',
        data: {
          listeners: [
            { port: 1883, protocol: 'mqtt', tls: false },
            { port: 8080, protocol: 'mqtt+websockets', 'bind-address': '127.0.0.1', tls: false },
            { port: 0, protocol: 'mqtt', 'socket-path': '/run/m.sock', tls: false },
            { port: 8883, protocol: 'mqtt', tls: true },
            { port: 8884, protocol: 'mqtt', tls: true },
          ],
        },
      },
    ]);
  });

  it('comes and goes with a reload (broker T-6)', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    await client.send(subscribePacket({ '$CONTROL/broker/v1/response': 0 }));
    const request = publishPacket('$CONTROL/broker/v1', '{"commands":[]}');
    const on = ['PUBLISH $CONTROL/broker/v1/response={"responses":[]}'];
    const off = ['PUBLISH $CONTROL/broker/v1/response={"error": "endpoint not available"}'];
    for (const [enableControlApi, lines] of [
      [true, on],
      [false, off],
    ] as const) {
      await broker.reload({ enableControlApi });
      expect(await client.send(request)).toEqual(lines);
    }
  });

  it('does not let a client speak for it', async () => {
    const broker = new TestBroker({ settings: { enableControlApi: true } });
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.send(subscribePacket({ '$CONTROL/broker/v1/response': 0 }));
    const client = await broker.connect();
    await client.send(publishPacket('$CONTROL/broker/v1/response', 'false'));
    expect(await watcher.take()).toEqual([]);
  });
});
