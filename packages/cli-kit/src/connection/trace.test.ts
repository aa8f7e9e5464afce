import { type Packet, PacketType } from '@tsmqtt/protocol';
import { expect, test } from 'vitest';
import { Trace } from './trace.js';

const connect = (clientId: string): Packet => ({
  type: PacketType.CONNECT,
  protocolVersion: 5,
  bridge: false,
  cleanStart: true,
  keepAlive: 60,
  clientId,
  will: undefined,
  username: undefined,
  password: undefined,
  properties: [],
});
const connack = (assigned?: string): Packet => ({
  type: PacketType.CONNACK,
  sessionPresent: false,
  reasonCode: 0,
  properties: assigned === undefined ? [] : [{ name: 'assignedClientIdentifier', value: assigned }],
});
const publish = (qos: 0 | 1 | 2, packetId: number): Packet => ({
  type: PacketType.PUBLISH,
  topic: 'a/b',
  payload: Buffer.from('xyz'),
  qos,
  retain: true,
  dup: false,
  packetId,
  properties: [],
});
const ack = (type: 4 | 5 | 6 | 7, reasonCode = 0): Packet => ({
  type,
  packetId: 3,
  reasonCode,
  properties: [],
});

test('every line of cli §16', () => {
  const trace = new Trace();
  const lines = [
    trace.lines('sent', connect('me')),
    trace.lines('received', connack()),
    trace.lines('sent', publish(1, 3)),
    trace.lines('received', ack(PacketType.PUBACK, 16)),
    trace.lines('sent', publish(2, 3)),
    trace.lines('received', ack(PacketType.PUBREC)),
    trace.lines('sent', ack(PacketType.PUBREL)),
    trace.lines('received', ack(PacketType.PUBCOMP)),
    trace.lines('received', publish(2, 9)),
    trace.lines('sent', ack(PacketType.PUBACK)),
    trace.lines('sent', ack(PacketType.PUBREC)),
    trace.lines('received', ack(PacketType.PUBREL)),
    trace.lines('sent', ack(PacketType.PUBCOMP)),
    trace.lines('sent', {
      type: PacketType.SUBSCRIBE,
      packetId: 1,
      subscriptions: [
        { filter: 'a', qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 2 },
        { filter: 'b', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
      properties: [],
    }),
    trace.lines('received', { type: PacketType.SUBACK, packetId: 1, reasonCodes: [1], properties: [] }),
    trace.lines('sent', { type: PacketType.UNSUBSCRIBE, packetId: 2, filters: ['x'], properties: [] }),
    trace.lines('received', { type: PacketType.UNSUBACK, packetId: 2, reasonCodes: [], properties: [] }),
    trace.lines('sent', { type: PacketType.PINGREQ }),
    trace.lines('received', { type: PacketType.PINGRESP }),
    trace.lines('received', { type: PacketType.AUTH, reasonCode: 24, properties: [] }),
    trace.lines('received', { type: PacketType.DISCONNECT, reasonCode: 142, properties: [] }),
    trace.lines('sent', { type: PacketType.DISCONNECT, reasonCode: 0, properties: [] }),
  ];
  expect(lines.join('')).toBe(`Client me sending CONNECT
Client me received CONNACK (0)
Client me sending PUBLISH (d0, q1, r1, m3, 'a/b', ... (3 bytes))
Client me received PUBACK (Mid: 3, RC:16)
Client me sending PUBLISH (d0, q2, r1, m3, 'a/b', ... (3 bytes))
Client me received PUBREC (Mid: 3)
Client me sending PUBREL (m3)
Client me received PUBCOMP (Mid: 3, RC:0)
Client me received PUBLISH (d0, q2, r1, m9, 'a/b', ... (3 bytes))
Client me sending PUBACK (m3, rc0)
Client me sending PUBREC (m3, rc0)
Client me received PUBREL (Mid: 3)
Client me sending PUBCOMP (m3)
Client me sending SUBSCRIBE (Mid: 1, Topic: a, QoS: 1, Options: 0x28)
Client me sending SUBSCRIBE (Mid: 1, Topic: b, QoS: 0, Options: 0x00)
Client me received SUBACK
Client me sending UNSUBSCRIBE (Mid: 2, Topic: x)
Client me received UNSUBACK
Client me sending PINGREQ
Client me received PINGRESP
Client me received AUTH
Received DISCONNECT (142)
Client me sending DISCONNECT
`);
});

test.each([
  ['PUBACK', 'received PUBACK (Mid: 3, RC:0)'],
  ['PUBREC', 'received PUBREC (Mid: 3)'],
  ['PUBCOMP', 'received PUBCOMP (Mid: 3, RC:0)'],
] as const)('%s for nothing that was sent, or that is done, is warned about', (name, line) => {
  const trace = new Trace();
  trace.lines('sent', connect('me'));
  const warning = `Client me ${line}\nWarning: Received ${name} from me for an unknown packet identifier 3.\n`;
  expect(trace.lines('received', ack(PacketType[name]))).toBe(warning);
  trace.lines('sent', publish(1, 3));
  trace.lines('received', ack(PacketType.PUBACK));
  expect(trace.lines('received', ack(PacketType[name]))).toBe(warning);
  trace.lines('sent', publish(2, 3));
  trace.lines('received', ack(PacketType.PUBREC, 0x97));
  expect(trace.lines('received', ack(PacketType[name]))).toBe(warning);
});

test('a client without an identifier is null until it is given one', () => {
  const trace = new Trace();
  expect(trace.lines('sent', connect(''))).toBe('Client null sending CONNECT\n');
  expect(trace.lines('received', connack())).toBe('Client (null) received CONNACK (0)\n');
  expect(trace.lines('sent', { type: PacketType.PINGREQ })).toBe('Client null sending PINGREQ\n');
  expect(trace.lines('received', connack('auto-1'))).toBe('Client auto-1 received CONNACK (0)\n');
  expect(trace.lines('sent', { type: PacketType.PINGREQ })).toBe('Client auto-1 sending PINGREQ\n');
});

test('messages at QoS 0 are numbered although they have no packet identifier', () => {
  const trace = new Trace();
  const numbers = [1, 2].map(() => /m(\d+)/.exec(trace.lines('sent', publish(0, 0)))?.[1]);
  expect(numbers).toEqual(['1', '2']);
});

test('a message at QoS 0 shows the packet identifier behind the one of the request before it (cli §16)', () => {
  const trace = new Trace();
  trace.lines('sent', {
    type: PacketType.SUBSCRIBE,
    packetId: 1,
    subscriptions: [{ filter: 'a', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
    properties: [],
  });
  const shown = [publish(0, 0), publish(0, 0), publish(1, 9), publish(0, 0)].map(
    (packet) => /, m(\d+),/.exec(trace.lines('sent', packet))?.[1],
  );
  expect(shown).toEqual(['2', '3', '9', '10']);
});
