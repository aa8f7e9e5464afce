import type { Properties, ProtocolVersion, QoS } from '@tsmqtt/protocol';
import {
  acknowledgement,
  type ConnectFields,
  connectPacket,
  disconnectPacket,
  type Outgoing,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../../packages/broker/test/raw-client.js';
import { awaitMessage, part, type Step, vanish, type WireSession } from './wire.js';

const ALL = [3, 4, 5] as const;
const OLD = [3, 4] as const;
const NEW = [5] as const;

type Steps = (version: ProtocolVersion) => readonly Step[];

const sessions = (versions: readonly ProtocolVersion[], title: string, steps: Steps): WireSession[] =>
  versions.map((version) => ({ title, version, steps: steps(version) }));

const CONNECT = (version: ProtocolVersion, clientId: string, fields: ConnectFields = {}): Outgoing =>
  connectPacket({ protocolVersion: version, clientId, keepAlive: 60, ...fields });

/** A session that outlives its connection, in the words of each version. */
const kept = (version: ProtocolVersion, cleanStart = false, expiry = 100): ConnectFields => ({
  cleanStart,
  properties: version === 5 ? [{ name: 'sessionExpiryInterval', value: expiry }] : [],
});
const will = (topic: string, qos: QoS = 0, retain = false, properties: Properties = []): ConnectFields => ({
  will: { topic, payload: Buffer.from('gone'), qos, retain, properties },
});
const text = (value: string): string => Buffer.from(value).toString('hex');

/** Clients `a` and `b` that have come, then the rest. */
const pair = (version: ProtocolVersion, ...rest: readonly Step[]): readonly Step[] => [
  ['a', CONNECT(version, 'a')],
  ['b', CONNECT(version, 'b')],
  ...rest,
];
const alone = (version: ProtocolVersion, ...rest: readonly Step[]): readonly Step[] => [
  ['a', CONNECT(version, 'a')],
  ...rest,
];

const QOS = [0, 1, 2] as const;
/** What the receiver of a message answers, and the sender of one. */
const RECEIVES: Readonly<Record<QoS, readonly Step[]>> = {
  0: [],
  1: [['b', acknowledgement('PUBACK', 1)]],
  2: [
    ['b', acknowledgement('PUBREC', 1)],
    ['b', acknowledgement('PUBCOMP', 1)],
  ],
};
const COMPLETES: Readonly<Record<QoS, readonly Step[]>> = {
  0: [],
  1: [],
  2: [['a', acknowledgement('PUBREL', 1)]],
};

const CONNECTING: readonly WireSession[] = [
  ...sessions(ALL, 'CONNECT and DISCONNECT', (v) => [
    ['a', CONNECT(v, 'a', { keepAlive: 30 })],
    ['a', disconnectPacket()],
  ]),
  ...sessions(ALL, 'packets right behind CONNECT', (v) => [
    ['a', CONNECT(v, 'a'), subscribePacket({ x: 0 }), publishPacket('x', 'self')],
  ]),
  ...sessions(ALL, 'CONNECT in pieces', (v) => {
    const bytes = {
      3: `10 0f 0006 4d5149736470 03 02`,
      4: `10 0d 0004 4d515454 04 02`,
      5: `10 0e 0004 4d515454 05 02`,
    };
    return [
      part('a', bytes[v].slice(0, 2)),
      part('a', bytes[v].slice(2)),
      ['a', `003c ${v === 5 ? '00' : ''} 0001 61`],
    ];
  }),
  ...sessions(ALL, 'Keep Alive 0', (v) => [['a', CONNECT(v, 'a', { keepAlive: 0 })]]),
  ...sessions(ALL, 'a second CONNECT', (v) => alone(v, ['a', CONNECT(v, 'a')])),
  ...sessions(ALL, 'empty Client Identifier, clean', (v) => [['a', CONNECT(v, '')]]),
  ...sessions(OLD, 'empty Client Identifier, not clean', (v) => [
    ['a', CONNECT(v, '', { cleanStart: false })],
  ]),
  ...sessions(ALL, 'user name and password where nobody asks', (v) => [
    ['a', CONNECT(v, 'a', { username: 'u', password: Buffer.from([0, 255]) })],
  ]),
  ...sessions(ALL, 'password without user name', (v) => {
    const name = v === 3 ? '0006 4d5149736470 03' : `0004 4d515454 0${v}`;
    const rest = `${name} 42 003c ${v === 5 ? '00' : ''} 0001 61 0001 70`;
    const size = rest.replaceAll(' ', '').length / 2;
    return [['a', `10 ${size.toString(16).padStart(2, '0')} ${rest}`]];
  }),
  ...sessions([3], 'user name announced, nothing there', () => [
    ['a', '10 0f 0006 4d5149736470 03 82 003c 0001 61'],
  ]),
  ...sessions([3], 'reserved flag of CONNECT', () => [['a', '10 0f 0006 4d5149736470 03 03 003c 0001 61']]),
  ...sessions([4], 'reserved flag of CONNECT', () => [['a', '10 0d 0004 4d515454 04 03 003c 0001 61']]),
  ...sessions([5], 'reserved flag of CONNECT', () => [['a', '10 0e 0004 4d515454 05 03 003c 00 0001 61']]),
  ...sessions([3], 'fixed header flags of CONNECT', () => [
    ['a', '11 0f 0006 4d5149736470 03 02 003c 0001 61'],
  ]),
  ...sessions([4], 'fixed header flags of CONNECT', () => [['a', '11 0d 0004 4d515454 04 02 003c 0001 61']]),
  ...sessions([4], 'level of another name', () => [['a', '10 0d 0004 4d515454 03 02 003c 0001 61']]),
  ...sessions([3], 'level of another name', () => [['a', '10 0f 0006 4d5149736470 04 02 003c 0001 61']]),
  ...sessions([4], 'another protocol', () => [['a', '10 0d 0004 48545450 04 02 003c 0001 61']]),
  ...sessions([3], 'a bridge', () => [
    ['a', '10 0f 0006 4d5149736470 83 02 003c 0001 61', subscribePacket({ x: 0 })],
    ['b', CONNECT(3, 'b')],
    ['b', publishPacket('x', 'kept', { retain: true })],
    ['a', publishPacket('x', 'own')],
  ]),
  ...sessions([4], 'a bridge', () => [
    ['a', '10 0d 0004 4d515454 84 02 003c 0001 61', subscribePacket({ x: 0 })],
    ['b', CONNECT(4, 'b')],
    ['b', publishPacket('x', 'kept', { retain: true })],
    ['a', publishPacket('x', 'own')],
  ]),
  ...sessions(ALL, 'a long Client Identifier', (v) => [['a', CONNECT(v, 'c'.repeat(500))]]),
  ...sessions(ALL, 'a will to a wildcard', (v) => [['a', CONNECT(v, 'a', will('x/+'))]]),
  ...sessions(ALL, 'a will to $CONTROL', (v) => [['a', CONNECT(v, 'a', will('$CONTROL/x'))]]),
  ...sessions(ALL, 'an empty will topic', (v) => [['a', CONNECT(v, 'a', will(''))]]),
  ...sessions(NEW, 'an Authentication Method', (v) => [
    ['a', CONNECT(v, 'a', { properties: [{ name: 'authenticationMethod', value: 'NONE' }] })],
  ]),
  ...sessions(NEW, 'Receive Maximum 0', (v) => [
    ['a', CONNECT(v, 'a', { properties: [{ name: 'receiveMaximum', value: 0 }] })],
  ]),
  ...sessions(NEW, 'properties of CONNECT', (v) => [
    [
      'a',
      CONNECT(v, 'a', {
        properties: [
          { name: 'sessionExpiryInterval', value: 1 },
          { name: 'receiveMaximum', value: 3 },
          { name: 'maximumPacketSize', value: 1000 },
          { name: 'topicAliasMaximum', value: 5 },
          { name: 'requestResponseInformation', value: 1 },
          { name: 'requestProblemInformation', value: 0 },
          { name: 'userProperty', value: ['k', 'v'] },
        ],
      }),
    ],
  ]),
  ...sessions(NEW, 'a CONNACK larger than Maximum Packet Size', (v) => [
    ['a', CONNECT(v, 'a', { properties: [{ name: 'maximumPacketSize', value: 3 }] })],
  ]),
];

const PUBLISHING: readonly WireSession[] = [
  ...QOS.flatMap((qos) =>
    QOS.flatMap((granted) =>
      sessions(ALL, `a message at QoS ${qos} to a subscription at QoS ${granted}`, (v) =>
        pair(
          v,
          ['b', subscribePacket({ 'x/+': granted })],
          ['a', publishPacket('x/y', 'one', { qos, packetId: qos === 0 ? 0 : 1 })],
          ...COMPLETES[qos],
          ...RECEIVES[Math.min(qos, granted) as QoS],
          ['a', publishPacket('x/y', 'two', { qos, packetId: qos === 0 ? 0 : 1 })],
        ),
      ),
    ),
  ),
  ...sessions(ALL, 'nobody has subscribed', (v) =>
    alone(
      v,
      ['a', publishPacket('x', '0')],
      ['a', publishPacket('x', '1', { qos: 1, packetId: 9 })],
      ['a', publishPacket('x', '2', { qos: 2, packetId: 10 })],
      ['a', acknowledgement('PUBREL', 10)],
    ),
  ),
  ...sessions(ALL, 'own messages', (v) =>
    alone(
      v,
      ['a', subscribePacket({ x: 2 })],
      ['a', publishPacket('x', '1', { qos: 1 })],
      ['a', acknowledgement('PUBACK', 1)],
      ['a', publishPacket('x', '2', { qos: 2, packetId: 2 })],
      ['a', acknowledgement('PUBREL', 2)],
    ),
  ),
  ...sessions(ALL, 'the same QoS 2 message twice, then a third time', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 0 })],
      ['a', publishPacket('x', 'm', { qos: 2 })],
      ['a', publishPacket('x', 'm', { qos: 2, dup: true })],
      ['a', publishPacket('x', 'm', { qos: 2, dup: true })],
    ),
  ),
  ...sessions(ALL, 'the same QoS 2 message twice, then released', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 0 })],
      ['a', publishPacket('x', 'm', { qos: 2 })],
      ['a', publishPacket('x', 'm', { qos: 2, dup: true })],
      ['a', acknowledgement('PUBREL', 1)],
      ['a', acknowledgement('PUBREL', 1)],
    ),
  ),
  ...sessions(ALL, 'another message under the same Packet Identifier', (v) =>
    pair(
      v,
      ['b', subscribePacket({ '#': 0 })],
      ['a', publishPacket('x', 'old', { qos: 2 })],
      ['a', publishPacket('x', 'new', { qos: 2 })],
      ['a', acknowledgement('PUBREL', 1)],
    ),
  ),
  ...sessions(ALL, 'two QoS 2 messages released in the other order', (v) =>
    pair(
      v,
      ['b', subscribePacket({ '#': 0 })],
      ['a', publishPacket('x', '1', { qos: 2, packetId: 1 })],
      ['a', publishPacket('x', '2', { qos: 2, packetId: 2 })],
      ['a', acknowledgement('PUBREL', 2)],
      ['a', acknowledgement('PUBREL', 1)],
    ),
  ),
  ...(['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'] as const).flatMap((type) =>
    sessions(ALL, `${type} for nothing`, (v) => alone(v, ['a', acknowledgement(type, 77)])),
  ),
  ...(['PUBREC', 'PUBCOMP'] as const).flatMap((type) =>
    sessions(ALL, `${type} for a QoS 1 message`, (v) =>
      pair(
        v,
        ['b', subscribePacket({ x: 1 })],
        ['a', publishPacket('x', '1', { qos: 1 })],
        ['b', acknowledgement(type, 1)],
      ),
    ),
  ),
  ...(['PUBACK', 'PUBCOMP'] as const).flatMap((type) =>
    sessions(ALL, `${type} for a QoS 2 message`, (v) =>
      pair(
        v,
        ['b', subscribePacket({ x: 2 })],
        ['a', publishPacket('x', '2', { qos: 2 }), acknowledgement('PUBREL', 1)],
        ['b', acknowledgement(type, 1)],
      ),
    ),
  ),
  ...sessions(ALL, 'PUBREC twice', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 2 })],
      ['a', publishPacket('x', '2', { qos: 2 }), acknowledgement('PUBREL', 1)],
      ['b', acknowledgement('PUBREC', 1)],
      ['b', acknowledgement('PUBREC', 1)],
      ['b', acknowledgement('PUBCOMP', 1)],
    ),
  ),
  ...sessions(NEW, 'PUBREC with an error', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 2 })],
      ['a', publishPacket('x', '2', { qos: 2 }), acknowledgement('PUBREL', 1)],
      ['b', acknowledgement('PUBREC', 1, 0x80)],
      ['a', publishPacket('x', '3', { qos: 2 }), acknowledgement('PUBREL', 1)],
    ),
  ),
  ...sessions(ALL, 'a topic below $SYS', (v) =>
    alone(
      v,
      ['a', publishPacket('$SYS/x', '0')],
      ['a', publishPacket('$SYS/x', '1', { qos: 1 })],
      ['a', publishPacket('$SYS/x', '2', { qos: 2 })],
    ),
  ),
  ...sessions(ALL, 'another topic with $', (v) =>
    pair(v, ['b', subscribePacket({ '#': 0, '+/x': 0, '$y/+': 0 })], ['a', publishPacket('$y/x', 'm')]),
  ),
  ...sessions(ALL, 'a topic of 200 separators, then of 201', (v) =>
    alone(
      v,
      ['a', publishPacket('/'.repeat(200), '', { qos: 1 })],
      ['a', publishPacket('/'.repeat(201), '')],
    ),
  ),
  ...sessions(ALL, 'an empty topic', (v) => alone(v, ['a', v === 5 ? '30 03 0000 00' : '30 02 0000'])),
  ...sessions(ALL, 'QoS 3', (v) => alone(v, ['a', v === 5 ? '36 06 0001 61 0001 00' : '36 05 0001 61 0001'])),
  ...sessions(ALL, 'an empty payload, and one of 100 kB', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 1 })],
      ['a', publishPacket('x', '')],
      ['a', publishPacket('x', 'p'.repeat(100_000), { qos: 1 })],
    ),
  ),
  ...sessions(NEW, 'properties of a message', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 1 })],
      [
        'a',
        publishPacket('x', 'm', {
          qos: 1,
          properties: [
            { name: 'contentType', value: 'text/plain' },
            { name: 'correlationData', value: Buffer.from([1, 2]) },
            { name: 'payloadFormatIndicator', value: 1 },
            { name: 'responseTopic', value: 'r' },
            { name: 'userProperty', value: ['k', 'v'] },
            { name: 'userProperty', value: ['k', 'w'] },
          ],
        }),
      ],
      ['a', publishPacket('x', 'm', { properties: [{ name: 'messageExpiryInterval', value: 0 }] })],
    ),
  ),
  ...sessions(NEW, 'properties in another order', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 0 })],
      [
        'a',
        publishPacket('x', 'm', {
          properties: [
            { name: 'userProperty', value: ['k', 'v'] },
            { name: 'responseTopic', value: 'r' },
            { name: 'payloadFormatIndicator', value: 1 },
            { name: 'contentType', value: 'text/plain' },
          ],
        }),
      ],
    ),
  ),
];

const ALIASES: readonly WireSession[] = [
  ...sessions(NEW, 'Topic Aliases from the client', (v) =>
    pair(
      v,
      ['b', subscribePacket({ '#': 0 })],
      ['a', publishPacket('x', '1', { properties: [{ name: 'topicAlias', value: 10 }] })],
      ['a', publishPacket('', '2', { properties: [{ name: 'topicAlias', value: 10 }] })],
      ['a', publishPacket('y', '3', { properties: [{ name: 'topicAlias', value: 10 }] })],
      ['a', publishPacket('', '4', { qos: 1, properties: [{ name: 'topicAlias', value: 10 }] })],
    ),
  ),
  ...[
    ['Topic Alias above the maximum', 'x', 11],
    ['an unknown Topic Alias', '', 3],
  ].map(
    ([title, topic, value]): WireSession => ({
      title: title as string,
      version: 5,
      steps: alone(5, [
        'a',
        publishPacket(topic as string, 'm', { properties: [{ name: 'topicAlias', value: value as number }] }),
      ]),
    }),
  ),
  ...sessions(NEW, 'Topic Aliases to the client', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b', { properties: [{ name: 'topicAliasMaximum', value: 2 }] })],
    ['b', subscribePacket({ '#': 1 })],
    ...['x', 'y', 'x', 'z', 'y', 'x'].map((topic): Step => ['a', publishPacket(topic, 'm', { qos: 1 })]),
  ]),
];

const FLOW: readonly WireSession[] = [
  ...sessions(NEW, 'Receive Maximum of the client', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b', { properties: [{ name: 'receiveMaximum', value: 2 }] })],
    ['b', subscribePacket({ x: 2 })],
    ...['1', '2', '3', '4'].map((payload): Step => ['a', publishPacket('x', payload, { qos: 1 })]),
    ['a', publishPacket('x', 'overtakes')],
    ['b', acknowledgement('PUBACK', 1)],
    ['b', acknowledgement('PUBACK', 2)],
    ['b', acknowledgement('PUBACK', 3)],
  ]),
  ...sessions(NEW, 'Receive Maximum 1 and QoS 2', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b', { properties: [{ name: 'receiveMaximum', value: 1 }] })],
    ['b', subscribePacket({ x: 2 })],
    ['a', publishPacket('x', '1', { qos: 2, packetId: 1 }), acknowledgement('PUBREL', 1)],
    ['a', publishPacket('x', '2', { qos: 2, packetId: 2 }), acknowledgement('PUBREL', 2)],
    ['b', acknowledgement('PUBREC', 1)],
    ['b', acknowledgement('PUBCOMP', 1)],
  ]),
  ...sessions(OLD, 'max_inflight_messages towards a client', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: 1 })],
      [
        'a',
        ...Array.from({ length: 23 }, (_, at) => publishPacket('x', `${at}`, { qos: 1, packetId: at + 1 })),
      ],
      ['b', acknowledgement('PUBACK', 1)],
      ['b', acknowledgement('PUBACK', 3), acknowledgement('PUBACK', 2)],
    ),
  ),
  ...sessions(ALL, 'more unfinished QoS 2 messages than the broker takes', (v) =>
    alone(
      v,
      [
        'a',
        ...Array.from({ length: 20 }, (_, at) => publishPacket('x', `${at}`, { qos: 2, packetId: at + 1 })),
      ],
      ['a', acknowledgement('PUBREL', 20)],
      ['a', publishPacket('x', 'next', { qos: 2, packetId: 21 })],
    ),
  ),
  ...sessions(NEW, 'Maximum Packet Size of the client', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b', { properties: [{ name: 'maximumPacketSize', value: 60 }] })],
    ['b', subscribePacket({ x: 1 })],
    ['a', publishPacket('x', 'm'.repeat(80), { qos: 1 })],
    ['a', publishPacket('x', 'fits', { qos: 1 })],
  ]),
];

const SUBSCRIBING: readonly WireSession[] = [
  ...sessions(ALL, 'several filters in one SUBSCRIBE, and again', (v) =>
    alone(
      v,
      ['a', subscribePacket({ a: 0, 'b/#': 1, '+/c': 2, '$share/g/d': 1, 'e//f': 2 })],
      ['a', subscribePacket({ a: 2, 'b/#': 0 }, 2)],
      ['a', unsubscribePacket(['a', 'nothing', '$share/g/d', '$y/x'], 3)],
    ),
  ),
  ...sessions(ALL, 'no filter', (v) => alone(v, ['a', v === 5 ? '82 03 0001 00' : '82 02 0001'])),
  ...sessions(ALL, 'no filter in UNSUBSCRIBE', (v) =>
    alone(v, ['a', v === 5 ? 'a2 03 0001 00' : 'a2 02 0001']),
  ),
  ...sessions(ALL, 'QoS 3 in SUBSCRIBE', (v) =>
    alone(v, ['a', v === 5 ? '82 07 0001 00 0001 61 03' : '82 06 0001 0001 61 03']),
  ),
  ...sessions(OLD, 'option bits in SUBSCRIBE', (v) => alone(v, ['a', '82 06 0001 0001 61 04'])),
  ...['a/#/b', 'a+', '#a', '+a/b', 'a#'].flatMap((filter) =>
    sessions(ALL, `the filter ${filter}`, (v) => {
      const body = `0001 ${v === 5 ? '00' : ''} 00${filter.length.toString(16).padStart(2, '0')} ${text(filter)} 00`;
      const size = body.replaceAll(' ', '').length / 2;
      return alone(v, ['a', `82 ${size.toString(16).padStart(2, '0')} ${body}`]);
    }),
  ),
  ...sessions(ALL, 'an empty filter', (v) =>
    alone(v, ['a', v === 5 ? '82 06 0001 00 0000 00' : '82 05 0001 0000 00']),
  ),
  ...sessions(ALL, 'filters and topics', (v) =>
    pair(
      v,
      ['b', subscribePacket({ 'a/#': 0 })],
      ['a', publishPacket('a', '')],
      ['a', publishPacket('a/', '')],
      ['a', publishPacket('a/b/c', '')],
      ['a', publishPacket('A', '')],
      ['b', unsubscribePacket(['a/#']), subscribePacket({ '+/+': 0 })],
      ['a', publishPacket('/', '')],
      ['a', publishPacket('/x', '')],
      ['a', publishPacket('x', '')],
      ['b', unsubscribePacket(['+/+']), subscribePacket({ '/+/': 0, '+': 0 })],
      ['a', publishPacket('/x/', '')],
      ['a', publishPacket('x/', '')],
      ['a', publishPacket('x', '')],
    ),
  ),
  ...sessions(ALL, 'overlapping subscriptions', (v) =>
    pair(
      v,
      ['b', subscribePacket({ 'x/#': 2, 'x/y': 0, 'x/+': 1 })],
      ['a', publishPacket('x/y', 'm', { qos: 2 })],
      ['a', acknowledgement('PUBREL', 1)],
    ),
  ),
  ...sessions(NEW, 'Subscription Identifiers', (v) =>
    pair(
      v,
      ['b', subscribePacket({ 'x/#': 0 }, 1, [{ name: 'subscriptionIdentifier', value: 1 }])],
      ['b', subscribePacket({ 'x/+': 1 }, 2, [{ name: 'subscriptionIdentifier', value: 268_435_455 }])],
      ['a', publishPacket('x/y', 'm', { qos: 1 })],
      ['b', subscribePacket({ 'x/+': 0 }, 3)],
      ['a', publishPacket('x/y', 'm')],
    ),
  ),
  ...sessions(NEW, 'No Local', (v) =>
    alone(
      v,
      ['a', subscribePacket({ x: { qos: 1, noLocal: true } })],
      ['a', publishPacket('x', 'own', { qos: 1 })],
      ['b', CONNECT(v, 'b')],
      ['b', publishPacket('x', 'other')],
    ),
  ),
  ...sessions(NEW, 'Retain As Published', (v) =>
    pair(
      v,
      ['b', subscribePacket({ x: { retainAsPublished: true } })],
      ['a', publishPacket('x', '1', { retain: true })],
      ['a', publishPacket('x', '2')],
    ),
  ),
  ...([0, 1, 2] as const).flatMap((retainHandling) =>
    sessions(NEW, `Retain Handling ${retainHandling}`, (v) =>
      pair(
        v,
        ['a', publishPacket('x', 'm', { retain: true })],
        ['b', subscribePacket({ x: { retainHandling } })],
        ['b', subscribePacket({ x: { retainHandling } })],
        ['b', unsubscribePacket(['x'])],
        ['b', subscribePacket({ x: { retainHandling } })],
      ),
    ),
  ),
  ...sessions(ALL, 'a shared subscription in rotation', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b')],
    ['c', CONNECT(v, 'c')],
    ['b', subscribePacket({ '$share/g/x': 1 })],
    ['c', subscribePacket({ '$share/g/x': 0 })],
    ...['1', '2', '3', '4'].map((payload): Step => ['a', publishPacket('x', payload, { qos: 1 })]),
    vanish('b'),
    ['a', publishPacket('x', '5', { qos: 1 })],
    ['c', unsubscribePacket(['$share/g/x'])],
    ['a', publishPacket('x', '6', { qos: 1 })],
  ]),
  ...sessions(ALL, 'shared subscriptions get no retained messages', (v) =>
    pair(v, ['a', publishPacket('x', 'm', { retain: true })], ['b', subscribePacket({ '$share/g/x': 0 })]),
  ),
  ...sessions(ALL, 'a member with a subscription of its own, and two groups', (v) =>
    pair(
      v,
      ['b', subscribePacket({ '$share/g/x': 0, '$share/h/x': 0, x: 0 })],
      ['a', publishPacket('x', 'm')],
    ),
  ),
];

const RETAINED: readonly WireSession[] = [
  ...sessions(ALL, 'a retained message is set, replaced and cleared', (v) =>
    pair(
      v,
      ['a', publishPacket('x', '1', { retain: true })],
      ['b', subscribePacket({ x: 2 })],
      ['a', publishPacket('x', '2', { retain: true, qos: 1 })],
      ['b', subscribePacket({ x: 0 }, 2)],
      ['a', publishPacket('x', '', { retain: true })],
      ['b', subscribePacket({ x: 0 }, 3)],
    ),
  ),
  ...sessions(ALL, 'a retained QoS 2 message at every QoS', (v) =>
    pair(
      v,
      ['a', publishPacket('x', 'm', { retain: true, qos: 2 }), acknowledgement('PUBREL', 1)],
      ...QOS.map((qos): Step => ['b', subscribePacket({ x: qos }, qos + 1)]),
    ),
  ),
  ...sessions(ALL, 'retained messages for filters that overlap', (v) =>
    pair(
      v,
      ['a', publishPacket('x/y', 'm', { retain: true })],
      ['b', subscribePacket({ 'x/+': 0, 'x/y': 1 })],
    ),
  ),
  ...sessions(ALL, 'retained below $, and a wildcard in front', (v) =>
    pair(
      v,
      ['a', publishPacket('$y/x', 'm', { retain: true })],
      ['b', subscribePacket({ '+/x': 0 })],
      ['b', subscribePacket({ '$y/#': 0 })],
      ['a', publishPacket('$y/x', '', { retain: true })],
    ),
  ),
  ...sessions(NEW, 'a retained message with properties and an identifier', (v) =>
    pair(
      v,
      ['a', publishPacket('x', 'm', { retain: true, properties: [{ name: 'contentType', value: 'c' }] })],
      ['b', subscribePacket({ x: 0 }, 1, [{ name: 'subscriptionIdentifier', value: 5 }])],
    ),
  ),
];

const WILLS: readonly WireSession[] = [
  ...QOS.flatMap((qos) =>
    sessions(ALL, `a will at QoS ${qos} when the connection breaks`, (v) => [
      ['b', CONNECT(v, 'b')],
      ['b', subscribePacket({ w: 2 })],
      ['a', CONNECT(v, 'a', will('w', qos, qos === 1))],
      vanish('a'),
      ['b', subscribePacket({ w: 0 }, 2)],
    ]),
  ),
  ...sessions(ALL, 'a will and DISCONNECT', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ w: 0 })],
    ['a', CONNECT(v, 'a', will('w'))],
    ['a', disconnectPacket()],
    ['b'],
  ]),
  ...sessions(ALL, 'a will after a broken protocol', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ w: 0 })],
    ['a', CONNECT(v, 'a', will('w'))],
    ['a', '00 00'],
  ]),
  ...sessions(ALL, 'a will below $SYS', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ '$SYS/w': 0 })],
    ['a', CONNECT(v, 'a', will('$SYS/w'))],
    vanish('a'),
  ]),
  ...sessions(ALL, 'a will at take-over by a clean session', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ w: 0 })],
    ['a', CONNECT(v, 'a', will('w'))],
    ['c', CONNECT(v, 'a')],
  ]),
  ...sessions(ALL, 'a will at take-over by a session that goes on', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ w: 0 })],
    ['a', CONNECT(v, 'a', { ...kept(v), ...will('w') })],
    ['c', CONNECT(v, 'a', kept(v))],
  ]),
  ...[0x04, 0x80].flatMap((code) =>
    sessions(NEW, `a will and DISCONNECT with ${code}`, (v) => [
      ['b', CONNECT(v, 'b'), subscribePacket({ w: 0 })],
      ['a', CONNECT(v, 'a', will('w'))],
      ['a', disconnectPacket(code)],
    ]),
  ),
  ...sessions(NEW, 'the properties of a will', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ w: 0 })],
    [
      'a',
      CONNECT(
        v,
        'a',
        will('w', 0, false, [
          { name: 'contentType', value: 'c' },
          { name: 'payloadFormatIndicator', value: 1 },
          { name: 'responseTopic', value: 'r' },
          { name: 'userProperty', value: ['k', 'v'] },
        ]),
      ),
    ],
    vanish('a'),
  ]),
  ...sessions(NEW, 'a delayed will comes', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ w: 0 })],
    ['a', CONNECT(v, 'a', { ...kept(v), ...will('w', 0, false, [{ name: 'willDelayInterval', value: 1 }]) })],
    vanish('a'),
    awaitMessage('b'),
  ]),
  ...sessions(NEW, 'a delayed will is cancelled', (v) => [
    ['b', CONNECT(v, 'b'), subscribePacket({ '#': 0 })],
    ['a', CONNECT(v, 'a', { ...kept(v), ...will('w', 0, false, [{ name: 'willDelayInterval', value: 1 }]) })],
    vanish('a'),
    ['a', CONNECT(v, 'a', kept(v))],
    // Somebody else's later will comes alone.
    ['c', CONNECT(v, 'c', { ...kept(v), ...will('x', 0, false, [{ name: 'willDelayInterval', value: 2 }]) })],
    vanish('c'),
    awaitMessage('b'),
  ]),
];

const SESSIONS: readonly WireSession[] = [
  ...sessions(ALL, 'a session waits for its client', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b', kept(v))],
    ['b', subscribePacket({ x: 2 })],
    ['b', disconnectPacket()],
    ['a', publishPacket('x', '0')],
    ['a', publishPacket('x', '1', { qos: 1 })],
    ['a', publishPacket('x', '2', { qos: 2, packetId: 2 }), acknowledgement('PUBREL', 2)],
    ['b', CONNECT(v, 'b', kept(v))],
    ['b', acknowledgement('PUBACK', 1)],
    ['b', acknowledgement('PUBREC', 2)],
    ['b', acknowledgement('PUBCOMP', 2)],
  ]),
  ...sessions(ALL, 'messages are sent again to who comes back', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b', kept(v)), subscribePacket({ x: 2 })],
    ['a', publishPacket('x', '1', { qos: 1 })],
    ['a', publishPacket('x', '2', { qos: 2, packetId: 2 }), acknowledgement('PUBREL', 2)],
    ['a', publishPacket('x', '3', { qos: 2, packetId: 3 }), acknowledgement('PUBREL', 3)],
    ['b', acknowledgement('PUBREC', 2)],
    vanish('b'),
    ['a', publishPacket('x', '4', { qos: 1, packetId: 4 })],
    ['b', CONNECT(v, 'b', kept(v))],
    ['b', acknowledgement('PUBCOMP', 2), acknowledgement('PUBACK', 1)],
    ['b', acknowledgement('PUBREC', 3)],
    vanish('b'),
    ['b', CONNECT(v, 'b', kept(v))],
  ]),
  ...sessions(ALL, 'an unfinished QoS 2 message of a client that comes back', (v) => [
    ['a', CONNECT(v, 'a'), subscribePacket({ x: 0 })],
    ['b', CONNECT(v, 'b', kept(v))],
    ['b', publishPacket('x', '2', { qos: 2, packetId: 7 })],
    vanish('b'),
    ['b', CONNECT(v, 'b', kept(v))],
    ['b', publishPacket('x', '2', { qos: 2, packetId: 7, dup: true })],
    ['b', acknowledgement('PUBREL', 7)],
  ]),
  ...sessions(ALL, 'a clean session forgets', (v) => [
    ['a', CONNECT(v, 'a')],
    ['b', CONNECT(v, 'b', kept(v)), subscribePacket({ x: 1 })],
    ['b', disconnectPacket()],
    ['b', CONNECT(v, 'b')],
    ['a', publishPacket('x', '1', { qos: 1 })],
    ['b', disconnectPacket()],
    ['b', CONNECT(v, 'b', kept(v))],
  ]),
  ...sessions(ALL, 'take-over', (v) => [
    ['a', CONNECT(v, 'a', kept(v)), subscribePacket({ x: 1 })],
    ['b', CONNECT(v, 'a', kept(v))],
    ['b', publishPacket('x', '1', { qos: 1 })],
    ['c', CONNECT(v, 'a')],
  ]),
  ...sessions(NEW, 'Session Expiry Interval 0 at DISCONNECT', (v) => [
    ['a', CONNECT(v, 'a', kept(v)), subscribePacket({ x: 1 })],
    ['a', disconnectPacket(0, [{ name: 'sessionExpiryInterval', value: 0 }])],
    ['a', CONNECT(v, 'a', kept(v))],
  ]),
  ...sessions(NEW, 'Session Expiry Interval from 0 to more at DISCONNECT', (v) => [
    ['a', CONNECT(v, 'a')],
    ['a', disconnectPacket(0, [{ name: 'sessionExpiryInterval', value: 10 }])],
  ]),
  ...sessions(NEW, 'clean start and an expiry interval', (v) => [
    ['a', CONNECT(v, 'a', kept(v, true)), subscribePacket({ x: 1 })],
    vanish('a'),
    ['a', CONNECT(v, 'a', kept(v))],
    vanish('a'),
    ['a', CONNECT(v, 'a', { cleanStart: false })],
    vanish('a'),
    ['a', CONNECT(v, 'a', { cleanStart: false })],
  ]),
  ...sessions(NEW, 'DISCONNECT with codes', (v) =>
    [0x81, 0x8e, 0x07].flatMap((code): Step[] => [
      ['a', CONNECT(v, 'a')],
      ['a', `e0 01 ${code.toString(16).padStart(2, '0')}`],
    ]),
  ),
  // Versions meet.
  {
    title: 'a session of 3.1.1 goes on in MQTT 5, and back',
    version: 4,
    steps: [
      ['a', CONNECT(4, 'a', { cleanStart: false }), subscribePacket({ x: 1 })],
      ['a', disconnectPacket()],
      ['b', CONNECT(4, 'b')],
      ['b', publishPacket('x', 'm', { qos: 1 })],
      ['a', Buffer.from('10 13 0004 4d515454 05 00 003c 05 11 00000064 0001 61'.replaceAll(' ', ''), 'hex')],
      vanish('a'),
      ['a', CONNECT(4, 'a', { cleanStart: false })],
    ],
  },
];

/** Sessions for brokers with these lines in their configuration; `{dir}` is the folder of its files. */
export interface WireGroup {
  readonly title: string;
  readonly conf: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly sessions: readonly WireSession[];
}

const LIMITED: WireGroup = {
  title: 'limits of a listener',
  conf: [
    'allow_anonymous true',
    'max_qos 1',
    'retain_available false',
    'max_keepalive 50',
    'allow_zero_length_clientid false',
    'max_topic_alias 2',
    'max_packet_size 100',
  ],
  sessions: [
    ...sessions(ALL, 'CONNECT within the limits', (v) => [['a', CONNECT(v, 'a', { keepAlive: 50 })]]),
    ...sessions(ALL, 'Keep Alive above the maximum', (v) => [['a', CONNECT(v, 'a', { keepAlive: 51 })]]),
    ...sessions(ALL, 'Keep Alive 0', (v) => [['a', CONNECT(v, 'a', { keepAlive: 0 })]]),
    ...sessions(ALL, 'an empty Client Identifier', (v) => [['a', CONNECT(v, '', { keepAlive: 9 })]]),
    ...sessions(ALL, 'a retained will', (v) => [
      ['a', CONNECT(v, 'a', { keepAlive: 9, ...will('w', 0, true) })],
    ]),
    ...sessions(ALL, 'a will at QoS 2', (v) => [['a', CONNECT(v, 'a', { keepAlive: 9, ...will('w', 2) })]]),
    ...sessions(ALL, 'a retained message', (v) => [
      ['a', CONNECT(v, 'a', { keepAlive: 9 })],
      ['a', publishPacket('x', 'm', { retain: true })],
    ]),
    ...sessions(ALL, 'a message at QoS 2', (v) => [
      ['a', CONNECT(v, 'a', { keepAlive: 9 })],
      ['a', publishPacket('x', 'm', { qos: 2 })],
    ]),
    ...sessions(ALL, 'SUBSCRIBE at QoS 2', (v) => [
      ['a', CONNECT(v, 'a', { keepAlive: 9 })],
      ['a', subscribePacket({ x: 2, y: 1 })],
      ['a', publishPacket('x', 'm', { qos: 1 })],
    ]),
    ...sessions(ALL, 'a packet above max_packet_size', (v) => [
      ['a', CONNECT(v, 'a', { keepAlive: 9 })],
      ['a', publishPacket('x', 'm'.repeat(120))],
    ]),
    ...sessions(NEW, 'a Topic Alias above max_topic_alias', (v) => [
      ['a', CONNECT(v, 'a', { keepAlive: 9 })],
      ['a', publishPacket('x', 'm', { properties: [{ name: 'topicAlias', value: 2 }] })],
      ['a', publishPacket('x', 'm', { properties: [{ name: 'topicAlias', value: 3 }] })],
    ]),
  ],
};

const QUEUES: WireGroup = {
  title: 'queues',
  conf: [
    'allow_anonymous true',
    'message_size_limit 20',
    'queue_qos0_messages true',
    'max_queued_messages 3',
    'max_inflight_messages 2',
    'upgrade_outgoing_qos true',
  ],
  sessions: [
    ...sessions(ALL, 'a payload above message_size_limit', (v) =>
      pair(
        v,
        ['b', subscribePacket({ x: 0 })],
        ['a', publishPacket('x', 'm'.repeat(20))],
        ['a', publishPacket('x', 'm'.repeat(21))],
        ['a', publishPacket('x', 'm'.repeat(21), { qos: 1 })],
        ['a', publishPacket('x', 'm'.repeat(21), { qos: 2 })],
        ['a', acknowledgement('PUBREL', 1)],
      ),
    ),
    ...sessions(ALL, 'delivery at the QoS of the subscription', (v) =>
      pair(
        v,
        ['b', subscribePacket({ x: 2 })],
        ['a', publishPacket('x', 'm')],
        ['b', acknowledgement('PUBREC', 1)],
        ['b', acknowledgement('PUBCOMP', 1)],
      ),
    ),
    ...sessions(ALL, 'max_queued_messages of an offline session', (v) => [
      ['a', CONNECT(v, 'a')],
      ['b', CONNECT(v, 'b', kept(v)), subscribePacket({ x: 1 })],
      ['b', disconnectPacket()],
      ...['1', '2', '3', '4', '5'].map((payload): Step => ['a', publishPacket('x', payload, { qos: 1 })]),
      ['b', CONNECT(v, 'b', kept(v))],
      ['b', acknowledgement('PUBACK', 1)],
      ['b', acknowledgement('PUBACK', 2)],
      ['b', acknowledgement('PUBACK', 3)],
    ]),
    ...sessions(ALL, 'a retained message at the QoS of the subscription', (v) =>
      pair(v, ['a', publishPacket('x', 'm', { retain: true })], ['b', subscribePacket({ x: 1 })]),
    ),
  ],
};

const RIGHTS: WireGroup = {
  title: 'rights',
  conf: ['allow_anonymous true', 'acl_file {dir}/acl', 'password_file {dir}/passwords'],
  files: {
    acl: 'topic read r\ntopic write w\ntopic rw\nuser pi\ntopic readwrite p/#\ntopic deny p/secret\npattern readwrite c/%c/#\n',
    // `pi` with the password `123`.
    passwords:
      'pi:$7$101$x5g5hXn2rDpBrHby$3kdHKZPr9LKZ5HCfjG8NKgRJrAZ7oUKwUz6VF/+1oEwCVw1WM00uH93wtiUM5eE+CYgiV7ZEYEQ5BcA/axd6XQ==\n',
  },
  sessions: [
    ...sessions(ALL, 'a wrong password', (v) => [
      ['a', CONNECT(v, 'a', { username: 'pi', password: Buffer.from('wrong') })],
    ]),
    ...sessions(ALL, 'an unknown user', (v) => [
      ['a', CONNECT(v, 'a', { username: 'nobody', password: Buffer.from('123') })],
    ]),
    ...sessions(ALL, 'a user without password', (v) => [['a', CONNECT(v, 'a', { username: 'pi' })]]),
    ...sessions(ALL, 'what anonymous clients may do', (v) =>
      pair(
        v,
        ['b', subscribePacket({ '#': 0 })],
        ...['r', 'w', 'rw', 'p/x', 'c/a/x', 'other'].flatMap((topic): Step[] => [
          ['a', publishPacket(topic, 'm')],
          ['a', publishPacket(topic, 'm', { qos: 1 })],
          ['a', publishPacket(topic, 'm', { qos: 2 })],
          ['a', acknowledgement('PUBREL', 1)],
        ]),
      ),
    ),
    ...sessions(ALL, 'a will without the right', (v) => [
      ['b', CONNECT(v, 'b')],
      ['b', subscribePacket({ '#': 0 })],
      ['a', CONNECT(v, 'a', will('r'))],
      vanish('a'),
      ['a', CONNECT(v, 'a', will('rw'))],
      vanish('a'),
    ]),
  ],
};

export const WIRE_GROUPS: readonly WireGroup[] = [
  {
    title: 'as it is',
    conf: ['allow_anonymous true', 'allow_duplicate_messages true'],
    sessions: [
      ...CONNECTING,
      ...PUBLISHING,
      ...ALIASES,
      ...FLOW,
      ...SUBSCRIBING,
      ...RETAINED,
      ...WILLS,
      ...SESSIONS,
    ],
  },
  LIMITED,
  QUEUES,
  RIGHTS,
];
