import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Packet, PacketType, type Publish, property } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  acknowledgement,
  connack,
  message,
  names,
  type Peer,
  polite,
  scriptedBroker,
  suback,
} from '../../cli-kit/test/scripted-broker.js';
import { type Arguments, correlated, requestIn, responding, rr, start } from '../test/run-rr.js';

describe('the conversation (cli §13)', () => {
  test('MQTT 5: Receive Maximum 1, SUBSCRIBE, request, response, DISCONNECT', async () => {
    const { code, out, err, received } = await rr(responding(correlated('42')));
    expect([code, out, err]).toEqual([0, '42\n', '']);
    expect(names(received)).toEqual(['CONNECT', 'SUBSCRIBE', 'PUBLISH', 'DISCONNECT']);
    const [connect, subscribe, request, disconnect] = received;
    expect(connect).toMatchObject({
      protocolVersion: 5,
      cleanStart: true,
      keepAlive: 60,
      clientId: '',
      properties: [{ name: 'receiveMaximum', value: 1 }],
    });
    expect(subscribe).toMatchObject({
      subscriptions: [
        { filter: 'answer', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
      properties: [],
    });
    expect(request).toMatchObject({ topic: 'ask', qos: 0, retain: false, dup: false });
    expect((request as Publish).payload.toString()).toBe('question');
    expect((request as Publish).properties.map(({ name }) => name)).toEqual([
      'correlationData',
      'responseTopic',
    ]);
    expect(disconnect).toMatchObject({ reasonCode: 0, properties: [] });
  });

  test.each(['31', '311'])('-V %s: no properties, and any response', async (version) => {
    const { code, out, received } = await rr(responding(message('elsewhere', 'yes')), ['-V', version]);
    expect([code, out]).toEqual([0, 'yes\n']);
    expect(requestIn(received).properties).toEqual([]);
    expect(names(received).at(-1)).toBe('DISCONNECT');
  });

  test.each([1, 2] as const)('-q %i is for SUBSCRIBE and request', async (qos) => {
    const { code, received } = await rr(responding(correlated('yes')), ['-q', String(qos)]);
    expect(code).toBe(0);
    expect(received[1]).toMatchObject({ subscriptions: [{ qos }] });
    expect(requestIn(received)).toMatchObject({ qos });
  });

  test.each([
    [1, ['PUBACK']],
    [2, ['PUBREC', 'PUBCOMP']],
  ] as const)('a response at QoS %i is acknowledged before the end', async (qos, acknowledgements) => {
    const { code, out, received } = await rr(responding(correlated('yes', { qos, packetId: 9 })));
    expect([code, out]).toEqual([0, 'yes\n']);
    expect(names(received).slice(3)).toEqual([...acknowledgements, 'DISCONNECT']);
  });

  test('properties of -D go where they belong (cli §7)', async () => {
    const { received } = await rr(responding(correlated('yes')), [
      ...['-D', 'connect', 'user-property', 'in', 'connect'],
      ...['-D', 'subscribe', 'user-property', 'in', 'subscribe'],
      ...['-D', 'publish', 'user-property', 'in', 'publish'],
      ...['-D', 'publish', 'content-type', 'text'],
      ...['-D', 'disconnect', 'user-property', 'in', 'disconnect'],
    ]);
    const [connect, subscribe, request, disconnect] = received;
    expect(connect).toMatchObject({
      properties: [{ value: ['in', 'connect'] }, { name: 'receiveMaximum', value: 1 }],
    });
    expect(subscribe).toMatchObject({ properties: [{ value: ['in', 'subscribe'] }] });
    expect((request as Publish).properties.map(({ name }) => name)).toEqual([
      'userProperty',
      'contentType',
      'correlationData',
      'responseTopic',
    ]);
    expect(disconnect).toMatchObject({ properties: [{ value: ['in', 'disconnect'] }] });
  });

  test('a Receive Maximum that was asked for stays (cli §7)', async () => {
    const { received } = await rr(responding(correlated('yes')), ['-D', 'connect', 'receive-maximum', '7']);
    expect(received[0]).toMatchObject({ properties: [{ name: 'receiveMaximum', value: 7 }] });
  });

  test('how retained messages are wanted is said in MQTT 5', async () => {
    const args = ['--retain-as-published', '--retain-handling', 'new'];
    const v5 = await rr(responding(correlated('yes')), args);
    expect(v5.received[1]).toMatchObject({ subscriptions: [{ retainAsPublished: true, retainHandling: 1 }] });
    const v3 = await rr(responding(correlated('yes')), [...args, '-V', '311']);
    expect(v3.received[1]).toMatchObject({
      subscriptions: [{ retainAsPublished: false, retainHandling: 0 }],
    });
    const never = await rr(responding(correlated('yes')), ['-R']);
    expect(never.received[1]).toMatchObject({ subscriptions: [{ retainHandling: 2 }] });
  });
});

describe('the response (cli §13, P-14, P-26)', () => {
  const foreign = message('answer', 'foreign', {
    properties: [{ name: 'correlationData', value: Buffer.from('foreign') }],
  });

  test('is not the answer to somebody else, and not what was retained', async () => {
    const retained = message('answer', 'old', { retain: true });
    const { code, out } = await rr(responding(retained, foreign, correlated('mine'), correlated('second')));
    expect([code, out]).toEqual([0, 'mine\n']);
  });

  test('what is not the response is acknowledged: it must not hold up what is', async () => {
    const waiting: Publish[] = [];
    const { code, out } = await rr((packet, peer) => {
      if (packet.type === PacketType.PUBLISH) {
        peer.send({ ...foreign, qos: 1, packetId: 1 });
        waiting.push(correlated('mine', { qos: 1, packetId: 2 })(packet));
      }
      if (packet.type === PacketType.PUBACK) for (const next of waiting.splice(0)) peer.send(next);
      return packet.type !== PacketType.PUBLISH;
    });
    expect([code, out]).toEqual([0, 'mine\n']);
  });

  test('need not carry correlation data', async () => {
    expect(await rr(responding(message('answer', 'plain')))).toMatchObject({ code: 0, out: 'plain\n' });
  });

  test('is the one to the correlation data that were given', async () => {
    const args = ['-D', 'publish', 'correlation-data', Buffer.from([0xff, 0x01])];
    const { out, received } = await rr(responding(foreign, correlated('mine')), args);
    expect(out).toBe('mine\n');
    expect(property(requestIn(received).properties, 'correlationData')).toEqual(Buffer.from([0xff, 0x01]));
  });

  test.each(['5', '311'])('is not what came before the request, -V %s', async (version) => {
    const early = (packet: Packet, peer: Peer): unknown => {
      if (packet.type === PacketType.CONNECT) {
        polite(packet, peer);
        peer.send(message('answer', 'too early'));
        return false;
      }
      if (packet.type === PacketType.SUBSCRIBE) peer.send(message('answer', 'early'));
      return responding(correlated('in time'))(packet, peer);
    };
    expect(await rr(early, ['-V', version])).toMatchObject({ code: 0, out: 'in time\n' });
  });

  test('nothing behind it is acknowledged', async () => {
    const { received } = await rr(
      responding(correlated('1', { qos: 1, packetId: 1 }), correlated('2', { qos: 1, packetId: 2 })),
      ['-V', '311'],
    );
    const acknowledged = received.filter(({ type }) => type === PacketType.PUBACK);
    expect(acknowledged).toMatchObject([{ packetId: 1 }]);
  });

  test('is waited for although the broker did not take the request', async () => {
    const refuse = (packet: Packet, peer: Peer): unknown => {
      if (packet.type !== PacketType.PUBLISH) return true;
      peer.send(acknowledgement(PacketType.PUBACK, packet.packetId, 0x87));
      peer.send(correlated('anyway')(packet));
      return false;
    };
    expect(await rr(refuse, ['-q', '1'])).toMatchObject({ code: 0, out: 'anyway\n', err: '' });
  });
});

describe('printing (cli §14)', () => {
  const binary = Buffer.from('x\xff\0y', 'latin1');
  test.each<[Arguments, string, Uint8Array]>([
    [[], 'x\xff\0y\n', binary],
    [['-v'], 'answer x\xff\0y\n', binary],
    [['-N'], 'x\xff\0y', binary],
    [['-v', '-N'], 'answer x\xff\0y', binary],
    [[], '', Buffer.alloc(0)],
    [['-v'], 'answer (null)\n', Buffer.alloc(0)],
    [['-F', '%t|%p|%l|%q|%r|%x'], 'answer|x\xff\0y|4|0|0|78ff0079\n', binary],
    [['-F', '%t\\n', '-N'], 'answer\n', binary],
    [['-F', '%p', '-v'], 'x\xff\0y\n', binary],
    [['-F', '%J', '--pretty', '-N'], '', Buffer.from('no JSON')],
  ])('%j', async (args, out, payload) => {
    expect(await rr(responding(correlated(payload)), args)).toMatchObject({ code: 0, out });
  });

  test('%j', async () => {
    const { out } = await rr(responding(message('answer', '42')), ['-F', '%j']);
    expect(JSON.parse(out)).toMatchObject({ topic: 'answer', qos: 0, retain: false, payload: '42' });
  });

  test('-d traces, the response in its place (cli §16)', async () => {
    const { out } = await rr(responding(message('answer', 'hi')), ['-d', '-i', 'me', '-F', '%p']);
    expect(out).toBe(
      'Client me sending CONNECT\nClient me received CONNACK (0)\n' +
        'Client me sending SUBSCRIBE (Mid: 1, Topic: answer, QoS: 0, Options: 0x00)\n' +
        'Client me received SUBACK\n' +
        "Client me sending PUBLISH (d0, q0, r0, m2, 'ask', ... (8 bytes))\n" +
        "Client me received PUBLISH (d0, q0, r0, m0, 'answer', ... (2 bytes))\nhi\n" +
        'Client me sending DISCONNECT\n',
    );
  });

  const LATENCY = /^yes\nLatency: (?:\d+\.\d{9}|\d+\.\d{6}(?:ms|\xc2\xb5s)|\d+ns)\n$/;
  test('--latency stands behind the response', async () => {
    expect((await rr(responding(correlated('yes')), ['--latency'])).out).toMatch(LATENCY);
  });

  test('--latency with -N: right behind the payload', async () => {
    expect((await rr(responding(correlated('yes')), ['--latency', '-N'])).out).toMatch(/^yesLatency: /);
  });
});

describe('what is asked (cli §11.4)', () => {
  function inFolder(content: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'tsmqtt-rr-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'file');
    writeFileSync(file, content);
    return file;
  }

  test.each<[string, () => Arguments, string]>([
    ['-n', () => ['-n'], ''],
    ['-m', () => ['-m', ''], ''],
    ['-s', () => ['-s'], 'from\nstdin\n'],
    ['-f', () => ['-f', inFolder('from\nfile\n')], 'from\nfile\n'],
    ['-f of an empty file', () => ['-f', inFolder('')], ''],
  ])('%s', async (_, args, payload) => {
    const broker = await scriptedBroker(responding(correlated('yes')));
    const { ended } = start([...broker.at, '-t', 'ask', '-e', 'answer', ...args()], {
      stdin: 'from\nstdin\n',
    });
    expect(await ended).toBe(0);
    expect(requestIn(broker.received).payload.toString()).toBe(payload);
  });
});

describe('SUBACK that refuses (P-2)', () => {
  test.each([
    ['5', 0x87, 'Not authorized\n'],
    ['5', 0x8f, 'Topic Filter invalid\n'],
    ['311', 0x80, 'Unspecified error\n'],
  ])('-V %s, %i: its code is the exit code, the request is not sent', async (version, code, err) => {
    const refuse = (packet: Packet, peer: Peer): unknown =>
      packet.type !== PacketType.SUBSCRIBE || void peer.send(suback(packet.packetId, [code]));
    const outcome = await rr(refuse, ['-V', version]);
    expect(outcome).toMatchObject({ code, out: '', err });
    expect(names(outcome.received)).toEqual(['CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
    expect(await rr(refuse, ['-V', version, '--quiet'])).toMatchObject({ code, err: '' });
  });
});

describe('CONNACK that refuses (cli §13, D-5)', () => {
  test.each([
    ['31', 1, 1, 'Connection Refused: unacceptable protocol version'],
    ['311', 2, 2, 'Connection Refused: identifier rejected'],
    ['311', 3, 3, 'Connection Refused: broker unavailable'],
    ['311', 4, 4, 'Connection Refused: bad user name or password'],
    ['311', 5, 5, 'Connection Refused: not authorised'],
    ['5', 134, 134, 'Bad User Name or Password'],
    ['5', 135, 135, 'Not authorized'],
    ['5', 132, 132, 'Unsupported Protocol Version'],
  ])('-V %s, %i', async (version, reasonCode, code, text) => {
    const refuse = (_packet: Packet, peer: Peer) => void peer.send(connack(reasonCode));
    expect(await rr(refuse, ['-V', version])).toMatchObject({
      code,
      out: '',
      err: `Connection error: ${text}\n`,
    });
  });

  test('a broker that only knows MQTT 3 (D-17)', async () => {
    const answer = (_packet: Packet, peer: Peer) => void peer.socket.write(Uint8Array.of(0x20, 2, 0, 1));
    expect(await rr(answer)).toMatchObject({
      code: 132,
      err: 'Connection error: Unsupported Protocol Version\n',
    });
  });
});
