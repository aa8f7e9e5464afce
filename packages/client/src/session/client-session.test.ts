import type { ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { CONNACK, compact, hex, SESSION_PRESENT, SessionProbe, text } from '../../test/session-probe.js';
import { ClientError } from '../client-error.js';
import type { ConnectOptions } from '../connect-options.js';

describe('CONNECT, the first packet [MQTT-3.1.0-1] [MQTT311-3.1.0-1], its fields in their order [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT311-3.1.3-1] [MQTT311-3.1.3-3]', () => {
  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: true, properties: [] } as const;
  const vectors: readonly [title: string, options: Partial<ConnectOptions>, bytes: string][] = [
    ['3.1', { protocolVersion: 3, clientId: 'c' }, `10 0f ${text('MQIsdp')} 03 02 003c ${text('c')}`],
    ['3.1.1', { protocolVersion: 4, keepAlive: 0 }, `10 0c ${text('MQTT')} 04 02 0000 0000`],
    ['5, no properties [MQTT-2.2.2-1]', { keepAlive: 65_535 }, `10 0d ${text('MQTT')} 05 02 ffff 00 0000`],
    [
      '5, session kept',
      { clientId: 'c', cleanStart: false },
      `10 0e ${text('MQTT')} 05 00 003c 00 ${text('c')}`,
    ],
    [
      '3.1.1, user name and password [MQTT311-3.1.2-19] [MQTT311-3.1.2-21]',
      { protocolVersion: 4, username: 'pi', password: Buffer.from('123') },
      `10 15 ${text('MQTT')} 04 c2 003c 0000 ${text('pi')} ${text('123')}`,
    ],
    [
      '5, password alone [MQTT-3.1.2-16] [MQTT-3.1.2-19]',
      { password: Buffer.from([0, 255]) },
      `10 11 ${text('MQTT')} 05 42 003c 00 0000 0002 00ff`,
    ],
    [
      '3.1.1, will [MQTT311-3.1.2-9] [MQTT311-3.1.2-18] [MQTT311-3.1.2-20]',
      { protocolVersion: 4, will },
      `10 15 ${text('MQTT')} 04 2e 003c 0000 ${text('w')} ${text('gone')}`,
    ],
    [
      '5, will with properties, CONNECT properties in order [MQTT-3.1.2-9] [MQTT-3.1.2-18]',
      {
        will: { ...will, properties: [{ name: 'willDelayInterval', value: 5 }] },
        properties: [
          { name: 'userProperty', value: ['a', 'b'] },
          { name: 'receiveMaximum', value: 20 },
        ],
      },
      `10 26 ${text('MQTT')} 05 2e 003c 0a 26 ${text('a')} ${text('b')} 21 0014 0000 05 18 00000005 ${text('w')} ${text('gone')}`,
    ],
  ];
  test.each(vectors)('%s', (_title, options, bytes) => {
    expect(hex([new SessionProbe(options).session.open()])).toBe(compact(bytes));
  });

  test.each<[title: string, options: Partial<ConnectOptions>, code: string]>([
    ['Keep Alive over 65535', { keepAlive: 65_536 }, 'keep-alive'],
    ['Keep Alive of half a second', { keepAlive: 0.5 }, 'keep-alive'],
    [
      'a password alone before MQTT 5',
      { protocolVersion: 4, password: Buffer.from('x') },
      'password-without-username',
    ],
    [
      'properties before MQTT 5',
      { protocolVersion: 4, properties: [{ name: 'receiveMaximum', value: 1 }] },
      'properties-version',
    ],
    [
      'a will topic with a wildcard',
      { will: { topic: 'a/#', payload: Buffer.alloc(0), qos: 0, retain: false, properties: [] } },
      'topic-name',
    ],
    [
      'authentication data alone',
      { properties: [{ name: 'authenticationData', value: Buffer.alloc(1) }] },
      'authentication-data',
    ],
    ['a client id that is too long', { clientId: 'x'.repeat(65_536) }, 'string-too-long'],
  ])('%s is refused', (_title, options, code) => {
    expect(() => new SessionProbe(options)).toThrowError(
      expect.objectContaining({ name: 'UsageError', code }),
    );
  });
});

describe('CONNACK', () => {
  test.each<[ProtocolVersion]>([[3], [4], [5]])('0 in version %i', (protocolVersion) => {
    const probe = new SessionProbe({ protocolVersion });
    probe.session.open();
    expect(probe.session.live).toBe(false);
    probe.receive(CONNACK[protocolVersion]);
    expect(probe.connacks).toMatchObject([{ sessionPresent: false, reasonCode: 0 }]);
    expect(probe.session.live).toBe(true);
  });

  test.each<[version: ProtocolVersion, bytes: string, reasonCode: number, message: string]>([
    [3, '20 02 00 02', 2, 'the server refused the connection: return code 2'],
    [4, '20 02 00 05', 5, 'the server refused the connection: return code 5'],
    [5, '20 03 00 87 00', 0x87, 'the server refused the connection: Not authorized'],
    [5, '20 03 00 84 00', 0x84, 'the server refused the connection: Unsupported Protocol Version'],
    // cli §17.2: the answer of a server that knows no MQTT 5
    [5, '20 02 00 01', 0x84, 'the server refused the connection: Unsupported Protocol Version'],
  ])('version %i, %s', (protocolVersion, bytes, reasonCode, message) => {
    const probe = new SessionProbe({ protocolVersion });
    probe.reconnect(bytes);
    expect(probe.error).toMatchObject({ code: 'refused', reasonCode, protocolVersion, message });
    expect(probe.failures[0]!.farewell).toBeUndefined();
    expect(probe.connacks).toEqual([]);
  });

  test('an assigned Client Identifier is used from then on', () => {
    const probe = new SessionProbe();
    probe.reconnect(`20 08 00 00 05 12 ${text('ab')}`);
    expect(probe.session.clientId).toBe('ab');
    expect(probe.reconnect()).toBe(compact(`10 0f ${text('MQTT')} 05 02 003c 00 ${text('ab')}`));
  });

  test('may come byte by byte', () => {
    const probe = new SessionProbe();
    probe.session.open();
    for (const byte of ['20', '03', '00', '00']) {
      probe.receive(byte);
      expect(probe.session.live).toBe(false);
    }
    probe.receive('00');
    expect(probe.session.live).toBe(true);
  });
});

describe('what ends a connection', () => {
  const topicAlias5 = '30 08 0000 03 23 0005 78 79';
  test.each<
    [
      title: string,
      version: ProtocolVersion,
      greet: boolean,
      bytes: string,
      code: string,
      reasonCode: number | undefined,
      farewell?: string,
    ]
  >([
    ['another packet first', 5, false, 'd0 00', 'protocol-error', 0x82],
    ['PUBLISH first', 4, false, '30 03 0001 61', 'protocol-error', 0x82],
    ['SMTP', 5, false, '32 32 30 20 68 65 6c 6c 6f 0d 0a', 'protocol-error', 0x82],
    ['TLS alert', 4, false, '15 03 03 00 02 02 28', 'protocol-error', 0x82],
    ['AUTH first', 5, false, 'f0 00', 'unexpected-auth', 0],
    ['AUTH first, before MQTT 5', 4, false, 'f0 00', 'protocol-error', 0x82],
    ['HTTP', 4, false, '48 54 54 50 2f 31 2e 31 20 34 30 30', 'protocol-error', 0x82],
    [
      'Session Present after a clean start [MQTT-3.2.2-4]',
      5,
      false,
      SESSION_PRESENT[5],
      'protocol-error',
      0x82,
    ],
    ['Session Present after a clean start', 4, false, SESSION_PRESENT[4], 'protocol-error', 0x82],
    ['Session Present in a refusal [MQTT311-3.2.2-4]', 4, false, '20 02 01 05', 'protocol-error', 0x82],
    ['a CONNACK of 3.x with another code', 5, false, '20 02 00 05', 'malformed', 0x81],
    ['a second CONNACK', 4, true, CONNACK[4], 'protocol-error', 0x82],
    ['a second CONNACK', 5, true, CONNACK[5], 'protocol-error', 0x82, 'e0 01 82'],
    ['CONNECT', 5, true, `10 0d ${text('MQTT')} 05 02 003c 00 0000`, 'protocol-error', 0x82, 'e0 01 82'],
    ['PINGREQ', 4, true, 'c0 00', 'protocol-error', 0x82],
    ['SUBSCRIBE', 5, true, '82 07 0001 00 0001 61 00', 'protocol-error', 0x82, 'e0 01 82'],
    ['DISCONNECT before MQTT 5', 4, true, 'e0 00', 'protocol-error', 0x82],
    ['DISCONNECT', 5, true, 'e0 01 8e', 'server-disconnect', 0x8e],
    ['DISCONNECT without a reason', 5, true, 'e0 00', 'server-disconnect', 0],
    ['AUTH', 5, true, 'f0 00', 'unexpected-auth', 0, 'e0 01 82'],
    ['AUTH before MQTT 5', 4, true, 'f0 00', 'malformed', 0x81],
    ['a Remaining Length of five bytes', 5, true, '30 80 80 80 80 01', 'malformed', 0x81, 'e0 01 81'],
    ['QoS 3 [MQTT311-3.3.1-4] [MQTT311-4.8.0-1]', 4, true, '36 05 0001 61 0001', 'malformed', 0x81],
    ['QoS 3 [MQTT-3.3.1-4] [MQTT-4.13.2-1]', 5, true, '36 06 0001 61 0001 00', 'malformed', 0x81, 'e0 01 81'],
    [
      'a topic with a wildcard [MQTT311-3.3.2-1] [MQTT311-3.3.2-2]',
      4,
      true,
      '30 03 0001 23',
      'malformed',
      0x81,
    ],
    ['packet type 0', 4, true, '00 00', 'protocol-error', 0x82],
    ['a Topic Alias that was not allowed', 5, true, topicAlias5, 'protocol-error', 0x94, 'e0 01 94'],
    [
      'PUBACK for nothing is passed over, garbage behind it is not',
      4,
      true,
      '40 02 0007 ff ff ff ff ff',
      'malformed',
      undefined,
    ],
  ])('%s, version %i', (_title, protocolVersion, greet, bytes, code, reasonCode, farewell) => {
    const probe = new SessionProbe({ protocolVersion });
    probe.session.open();
    if (greet) probe.receive(CONNACK[protocolVersion]);
    probe.receive(bytes);
    expect(probe.failures).toHaveLength(1);
    expect(probe.failures[0]).toMatchObject({ code, farewell: farewell && compact(farewell) });
    if (reasonCode !== undefined) expect(probe.error!.reasonCode).toBe(reasonCode);
    probe.receive('d0 00');
    expect(probe.failures).toHaveLength(1);
  });

  test('a packet over our Maximum Packet Size, as soon as its length is there', () => {
    const probe = SessionProbe.live({ properties: [{ name: 'maximumPacketSize', value: 20 }] });
    probe.receive('30 12 0001 61 00 787878787878787878787878 7878');
    expect(probe.delivered).toHaveLength(1);
    probe.receive('30 13');
    expect(probe.failures).toEqual([{ code: 'protocol-error', reasonCode: 0x95, farewell: 'e00195' }]);
  });
});

test('the newest CONNACK is kept', () => {
  const probe = SessionProbe.live({ cleanStart: false });
  expect(probe.session.connack).toMatchObject({ sessionPresent: false });
  probe.session.connectionLost(probe.error!);
  probe.reconnect(SESSION_PRESENT[5]);
  expect(probe.session.connack).toMatchObject({ sessionPresent: true });
});

describe('keep-alive', () => {
  test('PINGREQ, PINGRESP, PINGREQ, silence [MQTT-3.1.2-20] [MQTT311-3.1.2-23]', () => {
    const probe = SessionProbe.live({ keepAlive: 10 });
    expect(probe.session.checkKeepAlive(0)).toBe(10_000);
    probe.now = 10_000;
    expect(probe.session.checkKeepAlive(10_000)).toBe(10_000);
    expect(probe.sent()).toBe('c000');
    probe.now = 10_050;
    probe.receive('d0 00');
    expect(probe.session.checkKeepAlive(10_050)).toBe(9_950);
    probe.now = 20_000;
    probe.session.checkKeepAlive(20_000);
    expect(probe.sent()).toBe('c000');
    probe.session.checkKeepAlive(29_999);
    expect(probe.failures).toEqual([]);
    probe.session.checkKeepAlive(30_000);
    expect(probe.failures).toEqual([{ code: 'keep-alive', reasonCode: undefined, farewell: undefined }]);
    expect(probe.session.checkKeepAlive(30_000)).toBe(Number.POSITIVE_INFINITY);
  });

  test("the server's takes the place of ours [MQTT-3.1.2-21] [MQTT-3.2.2-21]", () => {
    const probe = SessionProbe.live({ keepAlive: 10 }, '20 06 00 00 03 13 0003');
    expect(probe.session.checkKeepAlive(0)).toBe(3_000);
  });

  test('a client that is paused waits', () => {
    const probe = SessionProbe.live({ keepAlive: 10 });
    probe.session.pause();
    probe.session.checkKeepAlive(10_000);
    probe.session.checkKeepAlive(25_000);
    probe.session.resume();
    probe.session.checkKeepAlive(34_000);
    expect(probe.failures).toEqual([]);
    probe.session.checkKeepAlive(35_000);
    expect(probe.failures).toHaveLength(1);
  });

  test('output behind DISCONNECT that never gets out is given up', () => {
    const probe = SessionProbe.live({ keepAlive: 10 });
    probe.session.disconnect({ type: 14, reasonCode: 0, properties: [] });
    expect(probe.session.checkKeepAlive(9_999)).toBe(1);
    probe.session.checkKeepAlive(10_000);
    expect(probe.failures).toMatchObject([{ code: 'keep-alive' }]);
  });
});

describe('DISCONNECT', () => {
  test.each<[version: ProtocolVersion, reasonCode: number, bytes: string]>([
    [4, 0, 'e0 00'],
    [5, 0, 'e0 00'],
    [5, 4, 'e0 01 04'],
  ])(
    'version %i, reason %i: nothing that comes afterwards matters, nothing else is sent [MQTT-3.14.4-1] [MQTT311-3.14.4-2]',
    (protocolVersion, reasonCode, bytes) => {
      const probe = SessionProbe.live({ protocolVersion }, CONNACK[protocolVersion]);
      probe.session.disconnect({ type: 14, reasonCode, properties: [] });
      expect(probe.sent()).toBe(compact(bytes));
      probe.receive('ff ff ff ff ff');
      probe.receive('30 03 0001 61');
      expect(probe.failures).toEqual([]);
      expect(probe.delivered).toEqual([]);
      probe.session.checkKeepAlive(60_000);
      expect(probe.sent()).toBe('');
    },
  );

  test('in the middle of a chunk: the rest is dropped', () => {
    const probe = SessionProbe.live({ protocolVersion: 4 }, CONNACK[4]);
    probe.verdict = () => {
      probe.session.disconnect({ type: 14, reasonCode: 0, properties: [] });
      return 0;
    };
    probe.receive('30 03 0001 61 32 05 0001 62 0001');
    expect(probe.delivered).toEqual(['a= q0']);
    expect(probe.sent()).toBe('e000');
  });
});

describe('SUBSCRIBE and UNSUBSCRIBE', () => {
  function request(probe: SessionProbe, count = 1): string[] {
    const answers: string[] = [];
    const subscriptions = new Array(count).fill({
      filter: 'a/#',
      qos: 1,
      noLocal: true,
      retainAsPublished: true,
      retainHandling: 2,
    });
    probe.session.request({
      count,
      build: (packetId) => ({ type: 8, packetId, subscriptions, properties: [] }),
      resolve: ({ reasonCodes }) => answers.push(`codes ${reasonCodes}`),
      reject: ({ code }) => answers.push(`failed ${code}`),
    });
    return answers;
  }

  function unsubscribe(probe: SessionProbe): string[] {
    const answers: string[] = [];
    probe.session.request({
      count: 1,
      build: (packetId) => ({ type: 10, packetId, filters: ['a/#'], properties: [] }),
      resolve: ({ reasonCodes }) => answers.push(`codes ${reasonCodes}`),
      reject: ({ code }) => answers.push(`failed ${code}`),
    });
    return answers;
  }

  test('Packet Identifiers count up from 1 over both and messages; answers find their requests [MQTT-2.2.1-3] [MQTT-3.8.1-1] [MQTT-3.10.1-1]', () => {
    const probe = SessionProbe.live();
    const first = request(probe);
    expect(probe.sent()).toBe(compact(`82 09 0001 00 ${text('a/#')} 2d`));
    const second = unsubscribe(probe);
    expect(probe.sent()).toBe(compact(`a2 08 0002 00 ${text('a/#')}`));
    probe.receive('b0 04 0002 00 11');
    expect(second).toEqual(['codes 17']);
    probe.receive('90 04 0001 00 01');
    expect(first).toEqual(['codes 1']);
  });

  test('3.1.1 sends no options and gets no codes for UNSUBSCRIBE [MQTT311-2.3.1-2] [MQTT311-3.8.1-1] [MQTT311-3.10.1-1]', () => {
    const probe = SessionProbe.live({ protocolVersion: 4 }, CONNACK[4]);
    const first = request(probe);
    expect(probe.sent()).toBe(compact(`82 08 0001 ${text('a/#')} 01`));
    const second = unsubscribe(probe);
    probe.receive('90 03 0001 80 b0 02 0002');
    expect([first, second]).toEqual([['codes 128'], ['codes ']]);
  });

  test('a wrong number of codes is a protocol error', () => {
    const probe = SessionProbe.live();
    request(probe, 2);
    probe.receive('90 04 0001 00 01');
    expect(probe.failures).toMatchObject([{ code: 'protocol-error', farewell: 'e00182' }]);
  });

  test('an answer of the wrong kind is a protocol error', () => {
    const probe = SessionProbe.live();
    request(probe);
    probe.receive('b0 04 0001 00 00');
    expect(probe.failures).toMatchObject([{ code: 'protocol-error' }]);
  });

  test('an answer that nobody waits for is passed over', () => {
    const probe = SessionProbe.live();
    probe.receive('90 04 0001 00 01');
    expect(probe.failures).toEqual([]);
  });

  test("give their Packet Identifiers back: answered, refused by the caller's own limits, or lost", () => {
    const probe = SessionProbe.live({}, '20 08 00 00 05 27 00000100');
    const identifiers = 65_535;
    const hexadecimal = (id: number): string => id.toString(16).padStart(4, '0');
    for (let id = 1; id <= identifiers; id++) {
      request(probe);
      probe.receive(`90 04 ${hexadecimal(id)} 00 01`);
      if (id % 1000 === 0) probe.sent();
    }
    for (let id = 1; id <= identifiers; id++) {
      expect(() => request(probe, 50)).toThrowError(expect.objectContaining({ code: 'packet-too-large' }));
    }
    for (let id = 1; id <= identifiers; id++) {
      request(probe);
      if (id % 1000 === 0) probe.sent();
    }
    expect(() => request(probe)).toThrowError(RangeError);
    probe.session.connectionLost(new ClientError('connection-lost', 'test'));
    probe.reconnect();
    expect(request(probe)).toEqual([]);
  });

  test('do not outlive their connection', () => {
    const probe = SessionProbe.live();
    const answers = request(probe);
    probe.receive('e0 00');
    probe.session.connectionLost(probe.error!);
    expect(answers).toEqual(['failed server-disconnect']);
    expect(() => request(probe)).toThrowError(expect.objectContaining({ code: 'connection-lost' }));
    probe.reconnect();
    expect(probe.sent()).toBe('');
  });
});

test('every packet is traced, both ways', () => {
  const trace: string[] = [];
  const probe = SessionProbe.live({
    onPacket: (direction, packet) => trace.push(`${direction} ${packet.type}`),
  });
  probe.receive('32 06 0001 61 0001 00');
  probe.session.disconnect({ type: 14, reasonCode: 0, properties: [] });
  expect(trace).toEqual(['sent 1', 'received 2', 'received 3', 'sent 4', 'sent 14']);
});
