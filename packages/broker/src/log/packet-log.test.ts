import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  type ConnectFields,
  disconnectPacket,
  type Outgoing,
  PINGREQ,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { NO_SECRETS } from '../auth/secrets.js';
import { DEFAULT_SETTINGS } from '../settings.js';
import { silentLog } from './log.js';
import { PacketLog } from './packet-log.js';

interface Row {
  readonly what: string;
  readonly connect?: ConnectFields;
  /** In turn, each when the one before has been answered. */
  readonly sends: readonly Outgoing[];
  /** Everything that is logged of it. */
  readonly lines: readonly string[];
}

const will = { topic: 'w/t', payload: Buffer.from('bye'), qos: 1, retain: true, properties: [] } as const;
const v5 = { protocolVersion: 5 } as const;

// The lines of broker §5, as they stand in the log. Each client subscribes to `own` at QoS 2 first.
// biome-ignore format: one row after the other
const ROWS: readonly Row[] = [
  { what: 'QoS 0', sends: [publishPacket('t', 'hello')], lines: [
    "debug Received PUBLISH from client (d0, q0, r0, m0, 't', ... (5 bytes))",
  ] },
  { what: 'QoS 1', connect: v5, sends: [publishPacket('t', 'hello', { qos: 1, packetId: 7 })], lines: [
    "debug Received PUBLISH from client (d0, q1, r0, m7, 't', ... (5 bytes))",
    'debug Sending PUBACK to client (m7, rc16)',
  ] },
  { what: 'QoS 1 to itself, DUP and RETAIN', sends: [publishPacket('own', '', { qos: 1, packetId: 7, dup: true, retain: true }), acknowledgement('PUBACK', 1)], lines: [
    "debug Received PUBLISH from client (d1, q1, r1, m7, 'own', ... (0 bytes))",
    "debug Sending PUBLISH to client (d0, q1, r0, m1, 'own', ... (0 bytes))",
    'debug Sending PUBACK to client (m7, rc0)',
    'debug Received PUBACK from client (Mid: 1, RC:0)',
  ] },
  { what: 'QoS 2 to itself', connect: v5, sends: [publishPacket('own', 'x', { qos: 2, packetId: 9 }), acknowledgement('PUBREL', 9), acknowledgement('PUBREC', 1), acknowledgement('PUBCOMP', 1, 0x92)], lines: [
    "debug Received PUBLISH from client (d0, q2, r0, m9, 'own', ... (1 bytes))",
    'debug Sending PUBREC to client (m9, rc0)',
    'debug Received PUBREL from client (Mid: 9)',
    "debug Sending PUBLISH to client (d0, q2, r0, m1, 'own', ... (1 bytes))",
    'debug Sending PUBCOMP to client (m9)',
    'debug Received PUBREC from client (Mid: 1)',
    'debug Sending PUBREL to client (m1)',
    'debug Received PUBCOMP from client (Mid: 1, RC:146)',
  ] },
  { what: 'a topic by its alias', connect: v5, sends: [publishPacket('t', '1', { properties: [{ name: 'topicAlias', value: 3 }] }), publishPacket('', '2', { properties: [{ name: 'topicAlias', value: 3 }] })], lines: [
    "debug Received PUBLISH from client (d0, q0, r0, m0, 't', ... (1 bytes))",
    "debug Received PUBLISH from client (d0, q0, r0, m0, 't', ... (1 bytes))",
  ] },
  { what: 'a refused PUBLISH', connect: v5, sends: [publishPacket('$SYS/a', '1', { qos: 1, packetId: 2 })], lines: [
    "debug Denied PUBLISH from client (d0, q1, r0, m2, '$SYS/a', ... (1 bytes))",
    'debug Sending PUBACK to client (m2, rc135)',
  ] },
  { what: 'another message under the same identifier', sends: [publishPacket('t', '1', { qos: 2, packetId: 5 }), publishPacket('t', '2', { qos: 2, packetId: 5 })], lines: [
    "debug Received PUBLISH from client (d0, q2, r0, m5, 't', ... (1 bytes))",
    'debug Sending PUBREC to client (m5, rc0)',
    "debug Received PUBLISH from client (d0, q2, r0, m5, 't', ... (1 bytes))",
    'warning Reused message ID 5 from client detected. Clearing from storage.',
    'debug Sending PUBREC to client (m5, rc0)',
  ] },
  { what: 'SUBSCRIBE', sends: [subscribePacket({ 'a/#': 2, $share: 0, '$share/g/b': 1 })], lines: [
    'debug Received SUBSCRIBE from client',
    'debug \ta/# (QoS 2)',
    'subscribe client 2 a/#',
    'debug \t$share (QoS 0)',
    'subscribe client 0 $share',
    'debug \t$share/g/b (QoS 1)',
    'subscribe client 1 $share/g/b',
    'debug Sending SUBACK to client',
  ] },
  { what: 'UNSUBSCRIBE, also of what there is not', sends: [unsubscribePacket(['own', 'other'])], lines: [
    'debug Received UNSUBSCRIBE from client',
    'debug \town',
    'unsubscribe client own',
    'debug \tother',
    'unsubscribe client other',
    'debug Sending UNSUBACK to client',
  ] },
  { what: 'PINGREQ', sends: [PINGREQ], lines: ['debug Received PINGREQ from client', 'debug Sending PINGRESP to client'] },
  { what: 'DISCONNECT', sends: [disconnectPacket()], lines: [
    'debug Received DISCONNECT from client',
    'notice Client client [127.0.0.1:1] disconnected.',
  ] },
  { what: 'a protocol error', connect: v5, sends: ['c0 00 00 00'], lines: [
    'debug Received PINGREQ from client',
    'debug Sending PINGRESP to client',
    expect.stringMatching(/^info Protocol error from client: .+\.$/),
    'debug Sending DISCONNECT to client (rc130)',
    'notice Client client [127.0.0.1:1] disconnected: protocol error.',
  ] },
];

describe('lines about packets', () => {
  it.each(ROWS)('$what', async ({ connect, sends, lines }) => {
    const broker = new TestBroker({ logsAll: true });
    const client = await broker.connect(connect);
    await client.send(subscribePacket({ own: 2 }));
    broker.logged.length = 0;
    for (const one of sends) await client.send(one);
    expect(broker.logged).toEqual(lines);
  });
});

describe('lines about a connection', () => {
  it.each([
    ['without a will', {}, ['No will message specified.']],
    ['with one', { will }, ['Will message specified (3 bytes) (r1, q1).', '\tw/t']],
  ] as const)('%s', async (_what, fields, lines) => {
    const broker = new TestBroker({ logsAll: true });
    await broker.connect(fields);
    expect(broker.logged).toEqual([
      'notice New client connected from 127.0.0.1:1 as client (p4, c1, k0).',
      ...lines.map((line) => `debug ${line}`),
      'debug Sending CONNACK to client (0, 0)',
    ]);
  });

  it('CONNACK says whether the session was there, and why it was not accepted', async () => {
    const broker = new TestBroker({ logsAll: true });
    await (await broker.connect({ cleanStart: false })).send(disconnectPacket());
    await broker.connect({ cleanStart: false });
    await broker.attempt({ clientId: '', cleanStart: false });
    expect(broker.logged.filter((line) => line.includes('CONNACK'))).toEqual([
      'debug Sending CONNACK to client (0, 0)',
      'debug Sending CONNACK to client (1, 0)',
      'debug Sending CONNACK to 127.0.0.1:1 (0, 2)',
    ]);
  });

  it('what breaks the protocol before CONNECT is told of by its address', async () => {
    const broker = new TestBroker({ logsAll: true });
    await broker.open().send('30 00');
    expect(broker.logged[0]).toMatch(/^info Protocol error from 127\.0\.0\.1:1: .+\.$/);
  });
});

it('a PUBLISH that waited for a subscriber is told of once, and so is a PUBREL', async () => {
  const broker = new TestBroker({ logsAll: true });
  const subscriber = await broker.connect({ clientId: 'subscriber' });
  await subscriber.send(subscribePacket({ t: 0 }));
  const client = await broker.connect();
  await client.send(publishPacket('t', '2', { qos: 2, packetId: 2 }));
  const session = broker.engine.sessions.get('subscriber')!;
  let holds = true;
  Object.defineProperty(session.pressure, 'holds', { get: () => holds });
  broker.engine.blockedSessions.add(session);
  broker.logged.length = 0;
  await client.send(acknowledgement('PUBREL', 2), publishPacket('t', '1', { qos: 1, packetId: 1 }));
  await broker.pass(3);
  holds = false;
  session.pressure.end();
  await broker.settle();
  const received = broker.logged.filter((line) => line.startsWith('debug Received'));
  expect(received).toEqual([
    'debug Received PUBREL from client (Mid: 2)',
    "debug Received PUBLISH from client (d0, q1, r0, m1, 't', ... (1 bytes))",
  ]);
});

it('whether debug lines are wanted is asked at the start and at a reload', async () => {
  let asked = 0;
  const broker = new TestBroker();
  const log = { ...silentLog, enabled: () => ++asked > 0 };
  Object.assign(broker.engine, { log });
  expect(broker.engine.packetLog).toBeUndefined();
  await broker.engine.reload(DEFAULT_SETTINGS, () => NO_SECRETS);
  expect([asked, broker.engine.packetLog]).toEqual([1, expect.any(PacketLog)]);
  const client = await broker.connect();
  for (let count = 0; count < 10; count++) await client.send(publishPacket('t', 'x'));
  expect(asked).toBe(1);
});
