import { type Packet, PacketType, type Publish } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo, type MemoryIoOptions } from '../../cli-kit/test/memory-io.js';
import {
  acknowledgement,
  connack,
  names,
  type Peer,
  scriptedBroker,
} from '../../cli-kit/test/scripted-broker.js';
import { run } from './run.js';

async function pub(args: readonly (string | Uint8Array)[], options: MemoryIoOptions = {}) {
  const io = new MemoryIo(options);
  const code = await run(bytes(args), io);
  return { code, out: io.out.toString(), err: io.err };
}

function messages(received: readonly Packet[]): Publish[] {
  return received.filter((packet): packet is Publish => packet.type === PacketType.PUBLISH);
}

describe.each(['31', '311', '5'])('one message, -V %s (cli §11.1)', (version) => {
  test.each([
    [0, ['CONNECT', 'PUBLISH', 'DISCONNECT']],
    [1, ['CONNECT', 'PUBLISH', 'DISCONNECT']],
    [2, ['CONNECT', 'PUBLISH', 'PUBREL', 'DISCONNECT']],
  ])('QoS %i ends with DISCONNECT', async (qos, conversation) => {
    const broker = await scriptedBroker();
    const outcome = await pub([
      ...broker.at,
      '-V',
      version,
      '-t',
      'a/b',
      '-m',
      'hi',
      '-q',
      String(qos),
      '-r',
    ]);
    expect(outcome).toEqual({ code: 0, out: '', err: '' });
    expect(names(broker.received)).toEqual(conversation);
    expect(messages(broker.received)).toMatchObject([
      { topic: 'a/b', payload: Buffer.from('hi'), qos, retain: true, dup: false },
    ]);
  });
});

describe('what is in CONNECT (cli §9.6, §9.7)', () => {
  async function connectOf(...args: (string | Uint8Array)[]) {
    const broker = await scriptedBroker();
    expect((await pub([...broker.at, '-t', 'a', '-n', ...args])).code).toBe(0);
    return broker.received[0];
  }

  test('by default', async () => {
    expect(await connectOf()).toMatchObject({
      protocolVersion: 4,
      cleanStart: true,
      keepAlive: 60,
      clientId: '',
      will: undefined,
      username: undefined,
      password: undefined,
    });
  });

  test('everything that was asked for', async () => {
    const password = Buffer.from([0xff, 0]);
    const will = ['--will-topic', 'w', '--will-payload', 'gone', '--will-qos', '2', '--will-retain'];
    const session = ['-i', 'me', '-k', '5', '-c'];
    expect(await connectOf('-u', '', '-P', password, ...will, ...session)).toMatchObject({
      cleanStart: false,
      keepAlive: 5,
      clientId: 'me',
      username: '',
      password,
      will: { topic: 'w', payload: Buffer.from('gone'), qos: 2, retain: true },
    });
  });

  test('identifiers', async () => {
    expect(await connectOf('-I', 'job-')).toMatchObject({ clientId: 'job-4711' });
    expect(await connectOf('-V', '31')).toMatchObject({
      clientId: expect.stringMatching(/^mosq-[A-Za-z0-9]{18}$/),
    });
  });

  test('properties of MQTT 5: expiry, then Receive Maximum (cli §7)', async () => {
    expect(await connectOf('-V', '5')).toMatchObject({ properties: [{ name: 'receiveMaximum', value: 20 }] });
    expect(await connectOf('-x', '10')).toMatchObject({
      protocolVersion: 5,
      properties: [
        { name: 'sessionExpiryInterval', value: 10 },
        { name: 'receiveMaximum', value: 20 },
      ],
    });
    expect(await connectOf('-V', '5', '-c', '-i', 'x')).toMatchObject({
      cleanStart: false,
      properties: [{ name: 'sessionExpiryInterval', value: 0xffffffff }, { name: 'receiveMaximum' }],
    });
  });
});

describe('what cannot be used (cli §5)', () => {
  const BAD = Buffer.from([0xff]);
  test.each([
    [['-i', ''], 'Error: Invalid id.\n'],
    [['-i', BAD], 'Error: Invalid id.\n'],
    [['-V', '5', '-c', '-x', '5'], 'Error: Invalid id.\n'],
    [['-P', 'x'], 'Error: Problem setting username and/or password.\n'],
    [['-u', BAD], 'Error: Problem setting username and/or password.\n'],
    [['-u', 'x'.repeat(65536)], 'Error: Problem setting username and/or password.\n'],
    [
      ['--pw-file', '/nonexistent'],
      'Error: Unable to read password file "/nonexistent": No such file or directory.\n',
    ],
    [['-h', '/nonexistent', '-p', '0'], 'Error: No such file or directory (/nonexistent)\n'],
  ])('%j', async (args, err) => {
    expect(await pub(['-t', 'a', '-m', 'b', ...args])).toEqual({ code: 1, out: '', err });
    expect(await pub(['-t', 'a', '-m', 'b', '--quiet', ...args])).toEqual({ code: 1, out: '', err: '' });
  });
});

describe('when it does not work out (cli §11.5, §17.2)', () => {
  async function against(answer: (packet: Packet, peer: Peer) => unknown, ...args: string[]) {
    const broker = await scriptedBroker(answer);
    const { code, err } = await pub([...broker.at, '-t', 'a', ...args]);
    return { code, err };
  }

  test('nobody listens (P-9)', async () => {
    expect(await pub(['-h', '127.0.0.1', '-p', '1', '-t', 'a', '-n'])).toEqual({
      code: 1,
      out: '',
      err: 'Error: Connection refused (127.0.0.1:1)\n',
    });
  });

  test.each([
    ['311', 5, 'Connection error: Connection Refused: not authorised\nError: The connection was refused\n'],
    [
      '5',
      135,
      'Connection error: Not authorized\nError: A network protocol error occurred when communicating with the broker\n',
    ],
  ])('refused, -V %s', async (version, reasonCode, err) => {
    const refuse = (_packet: Packet, peer: Peer) => peer.send(connack(reasonCode));
    expect(await against(refuse, '-V', version, '-n')).toEqual({ code: reasonCode, err });
  });

  test('the broker closes before CONNACK', async () => {
    const err = 'Error: The connection was lost\n';
    expect(await against((_packet, peer) => peer.socket.end(), '-n')).toEqual({ code: 7, err });
  });

  test('the broker closes before PUBACK', async () => {
    const close = (packet: Packet, peer: Peer) =>
      packet.type !== PacketType.PUBLISH || void peer.socket.destroy();
    expect(await against(close, '-m', 'x', '-q', '1')).toEqual({
      code: 7,
      err: 'Error: The connection was lost\n',
    });
    expect(await against(close, '-m', 'x', '-q', '1', '--repeat', '3')).toEqual({
      code: 7,
      err: 'Error: The connection was lost\nError: 3 of 3 messages were not delivered.\n',
    });
  });

  test.each([
    [0x8b, 4, 'Error: The client is not currently connected\n'],
    [0x00, 7, 'Error: The connection was lost\n'],
  ])('DISCONNECT with reason %i before PUBACK', async (reasonCode, code, err) => {
    const disconnect = (packet: Packet, peer: Peer) =>
      packet.type !== PacketType.PUBLISH ||
      void peer.send({ type: PacketType.DISCONNECT, reasonCode, properties: [] });
    expect(await against(disconnect, '-V', '5', '-m', 'x', '-q', '1')).toEqual({ code, err });
  });

  test('bytes that are not MQTT', async () => {
    const outcome = await against(
      (_packet, peer) => peer.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      '-n',
    );
    expect(outcome.code).toBeGreaterThan(0);
    expect(outcome.err).toMatch(/^Error: .+\n$/);
  });

  test('PUBACK says no: a warning and its reason, which is the exit code (P-1)', async () => {
    const reasons = [0x10, 0x97, 0x87];
    const answer = (packet: Packet, peer: Peer) => {
      if (packet.type !== PacketType.PUBLISH) return true;
      const explained = [{ name: 'reasonString', value: 'no room' }] as const;
      peer.send(acknowledgement(PacketType.PUBACK, packet.packetId, reasons.shift()!, explained));
      return false;
    };
    expect(await against(answer, '-V', '5', '-m', 'x', '-q', '1', '--repeat', '3')).toEqual({
      code: 0x97,
      err: 'Warning: Publish 2 failed: Quota exceeded.\nno room\nWarning: Publish 3 failed: Not authorized.\nno room\n',
    });
  });

  test('the broker’s Maximum QoS is too low', async () => {
    const limited = (packet: Packet, peer: Peer) =>
      packet.type !== PacketType.CONNECT || void peer.send(connack(0, [{ name: 'maximumQoS', value: 1 }]));
    expect(await against(limited, '-V', '5', '-m', 'x', '-q', '2')).toEqual({
      code: 7,
      err: 'Error: Message QoS not supported on broker, try a lower QoS.\nError: The connection was lost\n',
    });
  });

  test('a broker that keeps nothing gets no retain flag (cli §3.3)', async () => {
    const broker = await scriptedBroker((packet, peer) => {
      return (
        packet.type !== PacketType.CONNECT ||
        void peer.send(connack(0, [{ name: 'retainAvailable', value: 0 }]))
      );
    });
    expect((await pub([...broker.at, '-V', '5', '-t', 'a', '-m', 'x', '-r'])).code).toBe(0);
    expect(messages(broker.received)).toMatchObject([{ retain: false }]);
  });
});

test('--repeat waits for one before the next (cli §11.2)', async () => {
  const broker = await scriptedBroker();
  const repeat = ['--repeat', '3', '--repeat-delay', '0.01'];
  expect((await pub([...broker.at, '-t', 'a', '-m', 'x', '-q', '2', ...repeat])).code).toBe(0);
  expect(names(broker.received)).toEqual([
    'CONNECT',
    ...['PUBLISH', 'PUBREL', 'PUBLISH', 'PUBREL', 'PUBLISH', 'PUBREL'],
    'DISCONNECT',
  ]);
});

test('-d traces on stdout (cli §16)', async () => {
  const broker = await scriptedBroker();
  const { out } = await pub([...broker.at, '-d', '-i', 'me', '-t', 'a', '-m', 'hi', '-q', '1']);
  expect(out).toBe(
    'Client me sending CONNECT\nClient me received CONNACK (0)\n' +
      "Client me sending PUBLISH (d0, q1, r0, m1, 'a', ... (2 bytes))\n" +
      'Client me received PUBACK (Mid: 1, RC:0)\nClient me sending DISCONNECT\n',
  );
});

test('the password file gives its first line (P-13)', async () => {
  const broker = await scriptedBroker();
  const file = new URL('./line-splitter.ts', import.meta.url).pathname;
  expect((await pub([...broker.at, '-t', 'a', '-n', '-u', 'x', '--pw-file', file])).code).toBe(0);
  expect(broker.received[0]).toMatchObject({ password: Buffer.from('const LF = 0x0a;') });
});
