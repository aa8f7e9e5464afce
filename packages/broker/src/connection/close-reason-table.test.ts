import { expect, it } from 'vitest';
import { disconnectPacket, publishPacket, type RawClient } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

// How a connection ends, and what the log says of it after `Client client [127.0.0.1:1] disconnected` (broker §5).
// biome-ignore format: one row a line
const ROWS: readonly { end: (client: RawClient, broker: TestBroker) => Promise<unknown>; what: string; text: string }[] = [
  { what: 'DISCONNECT', end: (client) => client.send(disconnectPacket()), text: '.' },
  { what: 'DISCONNECT 0x04', end: (client) => client.send(disconnectPacket(4)), text: '.' },
  { what: 'the end of the connection', end: (client) => client.vanish(), text: ': connection closed by client.' },
  { what: 'a malformed packet', end: (client) => client.send('82 00'), text: ': malformed packet.' },
  { what: 'a protocol error', end: (client) => client.send('00 00'), text: ': protocol error.' },
  { what: 'a packet that is too large', end: (client) => client.send('30 ff ff ff 7f'), text: ': oversize packet.' },
  { what: 'a wrong Topic Alias', end: (client) => client.send('30 07 0001 61 03 23 00ff'), text: ': topic alias invalid.' },
  { what: 'QoS over max_qos', end: (client) => client.send(publishPacket('a', '', { qos: 2 })), text: ': used disallowed feature.' },
  { what: 'RETAIN without retain_available', end: (client) => client.send(publishPacket('a', '', { retain: true })), text: ': used disallowed feature.' },
  { what: 'silence', end: (_client, broker) => broker.pass(20), text: ': exceeded timeout.' },
  { what: 'a take-over', end: (_client, broker) => broker.connect(), text: ': session taken over.' },
];
for (const { what, end, text } of ROWS) {
  it(`${what}: disconnected${text}`, async () => {
    const broker = new TestBroker({ settings: { retainAvailable: false }, listener: { maxQos: 1 } });
    await end(await broker.connect({ protocolVersion: 5, keepAlive: 10 }), broker);
    const lines = broker.logged.filter((line) => line.includes('disconnected'));
    expect(lines).toEqual([`notice Client client [127.0.0.1:1] disconnected${text}`]);
  });
}

it.each([
  [{ clientId: 'a' }, 'New client connected from 127.0.0.1:1 as a (p4, c1, k0).'],
  [
    { clientId: 'a', protocolVersion: 5, cleanStart: false, keepAlive: 7, username: 'u' },
    "New client connected from 127.0.0.1:1 as a (p5, c0, k7, u'u').",
  ],
  [
    { clientId: 'a', protocolVersion: 3, bridge: true },
    'New bridge connected from 127.0.0.1:1 as a (p3, c1, k0).',
  ],
] as const)('%j: %s', async (fields, text) => {
  const broker = new TestBroker();
  await broker.connect(fields);
  expect(broker.logged).toEqual([`notice ${text}`]);
});

it('connection_messages false: nothing of it', async () => {
  const broker = new TestBroker({ settings: { connectionMessages: false } });
  await (await broker.connect()).vanish();
  expect(broker.logged).toEqual([]);
});
