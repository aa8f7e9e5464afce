import type { ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { CONNACK, compact, SESSION_PRESENT, SessionProbe, text } from '../../test/session-probe.js';
import { ClientError } from '../client-error.js';
import type { ConnectOptions } from '../connect-options.js';
import { Batch } from '../publish-batch.js';
import { publishOne } from '../publish-one.js';
import { PublishHead, type PublishSettings } from './publish-head.js';

const lost = new ClientError('connection-lost', 'test');

function batch(
  probe: SessionProbe,
  topic: string,
  settings: PublishSettings = {},
  failures: string[] = [],
): Batch {
  const head = new PublishHead(topic, settings, probe.protocolVersion);
  probe.session.outbound.check(head, 0);
  return new Batch(probe.session.outbound, head, (packetId, reasonCode) =>
    failures.push(`${packetId} ${reasonCode}`),
  );
}

function write(stream: Batch, payload: string): boolean {
  const source = Buffer.from(`<<${payload}>>`);
  return stream.write(source, 2, source.length - 2);
}

function live(options: Partial<ConnectOptions> = {}, connack?: string): SessionProbe {
  const { protocolVersion = 4 } = options;
  return SessionProbe.live(
    { clientId: 'c', cleanStart: false, ...options, protocolVersion },
    connack ?? CONNACK[protocolVersion],
  );
}

describe('PUBLISH, DUP 0, with an identifier from QoS 1 on [MQTT-2.2.1-2] [MQTT-4.3.1-1] [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT311-2.3.1-5] [MQTT311-4.3.1-1] [MQTT311-4.3.3-1]', () => {
  test.each<
    [title: string, version: ProtocolVersion, topic: string, settings: PublishSettings, bytes: string]
  >([
    ['QoS 0', 4, 'a', {}, `30 05 ${text('a')} 6869`],
    ['QoS 0', 5, 'a', {}, `30 06 ${text('a')} 00 6869`],
    ['QoS 1', 3, 'a', { qos: 1 }, `32 07 ${text('a')} 0001 6869`],
    ['QoS 2, retained', 5, 'ä/b', { qos: 2, retain: true }, `35 0b ${text('ä/b')} 0001 00 6869`],
    [
      'properties in order',
      5,
      'a',
      {
        properties: [
          { name: 'userProperty', value: ['k', 'v'] },
          { name: 'contentType', value: 't' },
        ],
      },
      `30 11 ${text('a')} 0b 26 ${text('k')} ${text('v')} 03 ${text('t')} 6869`,
    ],
  ])('%s, version %i', (_title, protocolVersion, topic, settings, bytes) => {
    const probe = live({ protocolVersion });
    write(batch(probe, topic, settings), 'hi');
    expect(probe.sent()).toBe(compact(bytes));
  });

  test('of every size keeps its bytes', () => {
    for (const size of [0, 1, 47, 48, 49, 127, 128, 1024, 1025, 16_383, 16_384, 70_000, 2_097_152]) {
      const probe = live();
      const payload = 'x'.repeat(size);
      write(batch(probe, 't'), payload);
      const sent = Buffer.from(probe.sent(), 'hex');
      expect(sent.subarray(sent.length - size).toString()).toBe(payload);
    }
  });
});

describe('acknowledgement', () => {
  test('QoS 1 on PUBACK, in any order [MQTT-4.3.2-3] [MQTT311-4.3.2-1]', () => {
    const probe = live();
    const stream = batch(probe, 'a', { qos: 1 });
    for (const payload of ['1', '2', '3']) write(stream, payload);
    probe.sent();
    probe.receive('40 02 0003 40 02 0001');
    expect(stream).toMatchObject({ accepted: 3, settled: 2, failed: 0 });
    probe.receive('40 02 0002');
    expect(stream.settled).toBe(3);
    probe.receive('40 02 0002');
    expect(stream.settled).toBe(3);
    expect(probe.failures).toEqual([]);
  });

  test('QoS 2 on PUBCOMP [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT311-4.3.3-1]', () => {
    const probe = live();
    const stream = batch(probe, 'a', { qos: 2 });
    write(stream, '1');
    probe.sent();
    probe.receive('50 02 0001');
    expect(probe.sent()).toBe(compact('6202 0001'));
    expect(stream.settled).toBe(0);
    probe.receive('70 02 0001');
    expect(stream.settled).toBe(1);
  });

  test('refusals are counted and told, and end the delivery [MQTT-4.4.0-2]', () => {
    const probe = live({ protocolVersion: 5 });
    const failures: string[] = [];
    const one = batch(probe, 'a', { qos: 1 }, failures);
    const two = batch(probe, 'a', { qos: 2 }, failures);
    write(one, '1');
    write(two, '2');
    write(one, '3');
    probe.sent();
    probe.receive('40 03 0001 87 50 03 0002 97 40 03 0003 10');
    expect(failures).toEqual(['1 135', '2 151']);
    expect(one).toMatchObject({ settled: 2, failed: 1 });
    expect(two).toMatchObject({ settled: 1, failed: 1 });
    expect(probe.sent()).toBe('');
  });

  test('QoS 0 when it is written', () => {
    const probe = live();
    const stream = batch(probe, 'a');
    write(stream, '1');
    expect(stream.settled).toBe(0);
    probe.sent();
    expect(stream.settled).toBe(1);
  });

  test('of the wrong kind is a protocol error', () => {
    const probe = live();
    write(batch(probe, 'a', { qos: 1 }), '1');
    probe.sent();
    probe.receive('50 02 0001');
    expect(probe.failures).toMatchObject([{ code: 'protocol-error' }]);
  });
});

describe('the window', () => {
  test('holds back what is over it; a place is taken at once [MQTT-3.3.4-7] [MQTT-4.9.0-1]', () => {
    const probe = live({ maximumInflight: 2 });
    const stream = batch(probe, 'a', { qos: 1 });
    for (const payload of ['1', '2', '3']) write(stream, payload);
    expect(probe.sent()).toBe(compact('3206 0001 61 0001 31  3206 0001 61 0002 32'));
    probe.receive('40 02 0001');
    expect(probe.sent()).toBe(compact('3206 0001 61 0003 33'));
  });

  test.each([[1], [30]])("a server's Receive Maximum of %i takes its place", (receiveMaximum) => {
    const connack = `20 06 00 00 03 21 00${receiveMaximum.toString(16).padStart(2, '0')}`;
    const probe = live({ protocolVersion: 5 }, connack);
    const stream = batch(probe, 'a', { qos: 1 });
    for (let count = 0; count < 40; count++) write(stream, 'x');
    expect(probe.sent().length / 2).toBe(receiveMaximum * 9);
  });
});

describe('on the next connection', () => {
  const settings = { qos: 1 } as const;

  test('of the same session: DUP, the same Packet Identifiers, in order; PUBREL where PUBREC had come [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-3.3.1-1] [MQTT311-4.4.0-1] [MQTT311-4.6.0-1] [MQTT311-3.3.1-1] [MQTT311-2.3.1-3]', () => {
    const probe = live();
    write(batch(probe, 'a', settings), '1');
    const second = batch(probe, 'b', { qos: 2 });
    write(second, '2');
    write(second, '3');
    probe.sent();
    probe.receive('50 02 0002');
    probe.session.connectionLost(lost);
    probe.reconnect(SESSION_PRESENT[4]);
    expect(probe.sent()).toBe(compact('3a06 0001 61 0001 31  6202 0002  3c06 0001 62 0003 33'));
  });

  test('of another session: a new message, DUP 0 [MQTT-3.2.2-5]', () => {
    const probe = live();
    write(batch(probe, 'a', settings), '1');
    probe.sent();
    probe.session.connectionLost(lost);
    probe.reconnect(CONNACK[4]);
    expect(probe.sent()).toBe(compact('3206 0001 61 0002 31'));
  });

  test('of 3.1, which does not say: as of the same session, where one was asked for', () => {
    for (const [cleanStart, bytes] of [
      [false, '3a06 0001 61 0001 31'],
      [true, '3206 0001 61 0002 31'],
    ] as const) {
      const probe = live({ protocolVersion: 3, cleanStart });
      write(batch(probe, 'a', settings), '1');
      probe.sent();
      probe.session.connectionLost(lost);
      probe.reconnect(CONNACK[3]);
      expect(probe.sent()).toBe(compact(bytes));
    }
  });

  test('messages taken meanwhile go out', () => {
    const probe = live();
    const stream = batch(probe, 'a');
    const other = batch(probe, 'b', settings);
    probe.session.connectionLost(lost);
    expect(write(stream, '1')).toBe(false);
    expect(write(other, '2')).toBe(false);
    expect(probe.sent()).toBe('');
    probe.reconnect(CONNACK[4]);
    expect(probe.sent()).toBe(compact('3004 0001 61 31  3206 0001 62 0001 32'));
    expect(stream.settled).toBe(1);
  });

  test('nothing goes out before CONNACK [MQTT-3.1.2-30]', () => {
    const probe = live();
    probe.session.connectionLost(lost);
    write(batch(probe, 'a'), '1');
    probe.session.open();
    expect(probe.sent()).toBe('');
    probe.receive(CONNACK[4]);
    expect(probe.sent()).toBe(compact('3004 0001 61 31'));
  });

  test('of a server that takes less: what it does not take is settled as refused', () => {
    const probe = live({ protocolVersion: 5 });
    const failures: string[] = [];
    const second = batch(probe, 'a', { qos: 2 }, failures);
    const first = batch(probe, 'a', { qos: 1 }, failures);
    write(second, '1');
    write(first, 'a long one');
    write(first, '3');
    probe.sent();
    probe.session.connectionLost(lost);
    // Maximum QoS 1, Maximum Packet Size 12
    probe.reconnect('20 0a 00 00 07 24 01 27 0000000c');
    expect(probe.sent()).toMatch(/^32070001610...0033$/);
    expect(failures.map((failure) => failure.split(' ')[1])).toEqual(['155', '149']);
    expect(second).toMatchObject({ settled: 1, failed: 1 });
  });
});

describe('what the server takes', () => {
  test('Retain Available 0: the flag is not sent [MQTT-3.2.2-14]', () => {
    const probe = live({ protocolVersion: 5 }, '20 05 00 00 02 25 00');
    write(batch(probe, 'a', { retain: true }), '1');
    expect(probe.sent()).toBe(compact('3005 0001 61 00 31'));
  });

  test.each([[0], [1]] as const)('Maximum QoS %i [MQTT-3.2.2-11]', (maximum) => {
    const probe = live({ protocolVersion: 5 }, `20 05 00 00 02 24 0${maximum}`);
    expect(() => batch(probe, 'a', { qos: 2 })).toThrowError(
      expect.objectContaining({ code: 'qos-not-supported', reasonCode: 0x9b }),
    );
    write(batch(probe, 'a', { qos: maximum }), '1');
    expect(probe.sent()).not.toBe('');
  });

  test.each([
    [0, 9],
    [1, 7],
  ] as const)('Maximum Packet Size at QoS %i, to the byte [MQTT-3.2.2-15]', (qos, largest) => {
    const probe = live({ protocolVersion: 5 }, '20 08 00 00 05 27 0000000f');
    const stream = batch(probe, 'a', { qos });
    write(stream, 'x'.repeat(largest));
    expect(probe.sent()).toHaveLength(30);
    expect(() => write(stream, 'x'.repeat(largest + 1))).toThrowError(
      expect.objectContaining({ code: 'packet-too-large', reasonCode: 0x95 }),
    );
    expect(stream.accepted).toBe(1);
  });
});

describe('Topic Alias', () => {
  const settings = { properties: [{ name: 'topicAlias', value: 3 }] } as const;
  /** CONNACK with this Topic Alias Maximum. */
  const allowing = (maximum: number): string => `20 06 00 00 03 22 ${maximum.toString(16).padStart(4, '0')}`;

  test('topic and alias first, then the alias alone; anew on each connection [MQTT-3.3.2-7]', () => {
    const probe = live({ protocolVersion: 5 }, allowing(3));
    const stream = batch(probe, 'a', settings);
    write(stream, '1');
    write(stream, '2');
    const both = '3008 0001 61 03 23 0003 31  3007 0000 03 23 0003 32';
    expect(probe.sent()).toBe(compact(both));
    probe.session.connectionLost(lost);
    probe.reconnect(allowing(3));
    write(stream, '1');
    write(stream, '2');
    expect(probe.sent()).toBe(compact(both));
  });

  test('another topic takes the alias over', () => {
    const probe = live({ protocolVersion: 5 }, allowing(3));
    write(batch(probe, 'a', settings), '1');
    write(batch(probe, 'b', settings), '1');
    write(batch(probe, 'a', settings), '1');
    expect(probe.sent()).toBe(
      compact('3008 0001 61 03 23 0003 31 3008 0001 62 03 23 0003 31 3008 0001 61 03 23 0003 31'),
    );
  });

  const plain = '3005 0001 61 00 31  3005 0001 61 00 32';

  test.each([
    ['above the maximum: the topic alone [MQTT-3.2.2-17]', allowing(2)],
    ['without a maximum: the topic alone [MQTT-3.2.2-18]', undefined],
  ])('%s', (_title, connack) => {
    const probe = live({ protocolVersion: 5 }, connack);
    const stream = batch(probe, 'a', settings);
    write(stream, '1');
    write(stream, '2');
    expect(probe.sent()).toBe(compact(plain));
  });

  test('what else is among the properties stays', () => {
    const probe = live({ protocolVersion: 5 });
    const more = { name: 'contentType', value: 'x' } as const;
    write(batch(probe, 'a', { qos: 1, properties: [...settings.properties, more] }), '1');
    expect(probe.sent()).toBe(compact('320b 0001 61 0001 04 03 0001 78 31'));
  });

  test('a message that waited for the next connection has its topic again, and no alias', () => {
    const probe = live({ protocolVersion: 5 }, allowing(3));
    const stream = batch(probe, 'a', settings);
    write(stream, '1');
    write(stream, '2');
    probe.session.connectionLost(lost);
    probe.reconnect(allowing(2));
    expect(probe.sent()).toBe(compact(plain));
  });

  test('QoS 1 that is sent again goes by what the next server allows', () => {
    const probe = live({ protocolVersion: 5 }, allowing(3));
    write(batch(probe, 'a', { ...settings, qos: 1 }), '1');
    expect(probe.sent()).toBe(compact('320a 0001 61 0001 03 23 0003 31'));
    probe.session.connectionLost(lost);
    probe.reconnect('20 03 01 00 00');
    expect(probe.sent()).toBe(compact('3a07 0001 61 0001 00 31'));
  });

  test('ignoreTopicAliasMaximum: as it was given, whatever the server allows', () => {
    const probe = live({ protocolVersion: 5, ignoreTopicAliasMaximum: true });
    const stream = batch(probe, 'a', settings);
    write(stream, '1');
    write(stream, '2');
    expect(probe.sent()).toBe(compact('3008 0001 61 03 23 0003 31  3007 0000 03 23 0003 32'));
    write(stream, '1');
    write(stream, '2');
    probe.session.connectionLost(lost);
    probe.reconnect();
    expect(probe.sent()).toBe(compact('3008 0001 61 03 23 0003 31  3008 0001 61 03 23 0003 32'));
  });
});

describe('bounds', () => {
  test('QoS 0: no room while too much output waits', async () => {
    const probe = live();
    const stream = batch(probe, 'a');
    let count = 0;
    while (write(stream, 'x'.repeat(1000))) count++;
    expect(count).toBeGreaterThan(250);
    expect(count).toBeLessThan(270);
    const drained = stream.drained();
    probe.sent();
    await drained;
    expect(stream.settled).toBe(count + 1);
    expect(write(stream, 'x')).toBe(true);
  });

  test('QoS 1: no room while too many messages wait for the window', async () => {
    const probe = live({ maximumInflight: 600 });
    const stream = batch(probe, 'a', { qos: 1 });
    let count = 0;
    while (write(stream, 'x')) count++;
    expect(count).toBe(600 + 1023);
    const drained = stream.drained();
    probe.sent();
    const acknowledgements = (from: number, to: number): string => {
      let all = '';
      for (let id = from; id <= to; id++) all += `4002${id.toString(16).padStart(4, '0')}`;
      return all;
    };
    probe.receive(acknowledgements(1, 600));
    await drained;
    expect(write(stream, 'x')).toBe(true);
  });

  test('QoS 1: no room behind large messages', () => {
    const probe = live({ maximumInflight: 2 });
    const stream = batch(probe, 'a', { qos: 1 });
    const payload = Buffer.alloc(100_000);
    const room = [1, 2, 3].map(() => {
      const answer = stream.write(payload, 0, payload.length);
      probe.sent();
      return answer;
    });
    expect(room).toEqual([true, true, true]);
    let count = 3;
    while (stream.write(payload, 0, payload.length)) count++;
    expect(count).toBe(10);
  });

  test('QoS 1: room again when large messages are settled or taken back', async () => {
    const probe = live({ maximumInflight: 1 });
    const stream = batch(probe, 'a', { qos: 1 });
    const payload = Buffer.alloc(400_000);
    for (let id = 1; id <= 20; id += 2) {
      stream.write(payload, 0, payload.length);
      probe.sent();
      expect(stream.write(payload, 0, payload.length)).toBe(true);
      for (const packetId of [id, id + 1]) {
        probe.receive(`4002 ${packetId.toString(16).padStart(4, '0')}`);
        probe.sent();
      }
    }
    const controller = new AbortController();
    const head = new PublishHead('a', { qos: 1 }, 4);
    const all = [1, 2, 3, 4].map(() => publishOne(probe.session.outbound, head, payload, controller.signal));
    expect(probe.session.outbound.hasRoom).toBe(false);
    controller.abort();
    for (const one of all) await expect(one).rejects.toMatchObject({ code: 'aborted' });
    probe.sent();
    expect(stream.write(payload, 0, payload.length)).toBe(true);
  });
});

describe('when the client gives up', () => {
  test('what is not settled fails, and nothing more is taken', async () => {
    const probe = live({ maximumInflight: 1 });
    const streams = [batch(probe, 'a'), batch(probe, 'a', { qos: 1 })];
    for (const stream of streams) {
      write(stream, '1');
      write(stream, '2');
    }
    const ends = streams.map((stream) => stream.finish());
    probe.session.connectionLost(lost);
    const drained = streams[0]!.drained();
    const over = new ClientError('keep-alive', 'test');
    probe.session.close(over);
    await expect(drained).rejects.toBe(over);
    for (const end of ends) await expect(end).rejects.toBe(over);
    for (const stream of streams) {
      expect(stream).toMatchObject({ accepted: 2, settled: 0, failed: 0 });
      expect(write(stream, '3')).toBe(false);
      expect(stream.accepted).toBe(2);
      await expect(stream.drained()).rejects.toBe(over);
    }
  });

  test('a batch that is settled has finished all the same', async () => {
    const probe = live();
    const stream = batch(probe, 'a');
    write(stream, '1');
    probe.sent();
    probe.session.close(lost);
    await stream.finish();
  });

  test('QoS 0 in an interrupted write is not delivered, and finish() says so', async () => {
    const probe = live();
    const stream = batch(probe, 'a');
    write(stream, '1');
    probe.session.take();
    write(stream, '2');
    const finished = stream.finish();
    probe.session.connectionLost(lost);
    probe.reconnect(CONNACK[4]);
    expect(probe.sent()).toBe(compact('3004 0001 61 32'));
    await expect(finished).rejects.toMatchObject({ code: 'connection-lost' });
    expect(stream).toMatchObject({ accepted: 2, settled: 1 });
  });
});

describe("the caller's mistakes", () => {
  test.each<
    [title: string, topic: string, settings: PublishSettings, version: ProtocolVersion, code: string]
  >([
    ['an empty topic [MQTT-4.7.3-1]', '', {}, 5, 'topic-name'],
    [
      'a wildcard [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT311-3.3.2-2] [MQTT311-4.7.1-1]',
      'a/+',
      {},
      4,
      'topic-name',
    ],
    [
      'properties before MQTT 5',
      'a',
      { properties: [{ name: 'topicAlias', value: 1 }] },
      4,
      'properties-version',
    ],
    [
      'a property of another packet',
      'a',
      { properties: [{ name: 'receiveMaximum', value: 1 }] },
      5,
      'property-misplaced',
    ],
    [
      'Subscription Identifier [MQTT-3.3.4-6]',
      'a',
      { properties: [{ name: 'subscriptionIdentifier', value: 1 }] },
      5,
      'property-misplaced',
    ],
    [
      'a property twice',
      'a',
      {
        properties: [
          { name: 'contentType', value: '' },
          { name: 'contentType', value: '' },
        ],
      },
      5,
      'property-duplicate',
    ],
    [
      'Topic Alias 0 [MQTT-3.3.2-8]',
      'a',
      { properties: [{ name: 'topicAlias', value: 0 }] },
      5,
      'property-value',
    ],
    [
      'Payload Format Indicator 2',
      'a',
      { properties: [{ name: 'payloadFormatIndicator', value: 2 }] },
      5,
      'property-value',
    ],
    [
      'a response topic with a wildcard [MQTT-3.3.2-14]',
      'a',
      { properties: [{ name: 'responseTopic', value: '#' }] },
      5,
      'property-value',
    ],
    [
      'a number that does not fit',
      'a',
      { properties: [{ name: 'messageExpiryInterval', value: 2 ** 32 }] },
      5,
      'property-value',
    ],
  ])('%s', (_title, topic, settings, version, code) => {
    expect(() => new PublishHead(topic, settings, version)).toThrowError(
      expect.objectContaining({ name: 'UsageError', code }),
    );
  });
});
