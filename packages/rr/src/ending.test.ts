import { type Packet, PacketType } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { connack, names, type Peer, scriptedBroker } from '../../cli-kit/test/scripted-broker.js';
import { type Arguments, correlated, REQUEST, responding, rr, start } from '../test/run-rr.js';

const LOST = 'Error: The connection was lost\n';

describe('the connection ends before the response (cli §13, D-5)', () => {
  const atRequest = (end: (peer: Peer) => void) => (packet: Packet, peer: Peer) =>
    packet.type !== PacketType.PUBLISH || void end(peer);

  test.each<[string, (peer: Peer) => void, number, string]>([
    ['closed', (peer) => peer.socket.end(), 7, LOST],
    ['reset', (peer) => peer.socket.resetAndDestroy(), 7, LOST],
    ['DISCONNECT 0', (peer) => peer.socket.write(Uint8Array.of(0xe0, 0)), 7, LOST],
    ['DISCONNECT 0x8b', (peer) => peer.socket.write(Uint8Array.of(0xe0, 2, 0x8b, 0)), 7, LOST],
    ['malformed', (peer) => peer.socket.write(Uint8Array.of(0x30, 1, 0)), 21, 'Error: Malformed packet\n'],
    [
      'AUTH',
      (peer) => peer.socket.write(Uint8Array.of(0xf0, 2, 0x18, 0)),
      11,
      'Error: Authorisation failed\n',
    ],
  ])('%s: no reconnection, --latency says nothing', async (_, end, code, err) => {
    const outcome = await rr(atRequest(end), ['--latency']);
    expect(outcome).toMatchObject({ code, out: '', err });
    expect(names(outcome.received).filter((name) => name === 'CONNECT')).toHaveLength(1);
    expect(await rr(atRequest(end), ['--quiet'])).toMatchObject({ code, err: '' });
  });

  test('before CONNACK', async () => {
    expect(await rr((_packet, peer) => void peer.socket.destroy())).toMatchObject({ code: 7, err: LOST });
  });

  test('nobody listens (P-9)', async () => {
    const { io, ended } = start(['-h', '127.0.0.1', '-p', '1', ...REQUEST]);
    expect([await ended, io.err]).toEqual([1, 'Error: Connection refused (127.0.0.1:1)\n']);
  });
});

describe('a broker that cannot take the request', () => {
  const limited = (...properties: Parameters<typeof connack>[1] & object) => {
    return (packet: Packet, peer: Peer): unknown =>
      packet.type !== PacketType.CONNECT || void peer.send(connack(0, properties));
  };

  test('QoS beyond its maximum', async () => {
    const broker = limited({ name: 'maximumQoS', value: 0 });
    const outcome = await rr(broker, ['-q', '1']);
    expect(outcome).toMatchObject({ code: 24, err: 'Error: Requested QoS not supported on server\n' });
    expect(names(outcome.received)).toEqual(['CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
  });

  test('larger than its maximum', async () => {
    const broker = limited({ name: 'maximumPacketSize', value: 30 });
    expect(await rr(broker)).toMatchObject({
      code: 25,
      err: 'Error: Packet larger than supported by the server\n',
    });
  });
});

describe('-W (cli §13, D-5)', () => {
  /** Starts it, waits for what the broker is to have received, and lets the time run out. */
  async function timedOut(
    args: Arguments,
    answer: (packet: Packet, peer: Peer) => unknown,
    packetsBefore: readonly string[],
  ) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const broker = await scriptedBroker(answer);
    const { io, ended } = start([...broker.at, ...REQUEST, '-W', '3', ...args]);
    await broker.until((received) => received.length === packetsBefore.length);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(3000);
    const code = await ended;
    return { code, out: io.out.toString(), err: io.err, received: broker.received };
  }

  test.each([
    ['5', 4],
    ['311', 0],
  ])('after the request, -V %s: DISCONNECT with reason %i', async (version, reasonCode) => {
    const before = ['CONNECT', 'SUBSCRIBE', 'PUBLISH'];
    const outcome = await timedOut(['-V', version, '--latency'], () => true, before);
    expect(outcome).toMatchObject({ code: 27, out: '', err: 'Timed out\n' });
    expect(names(outcome.received)).toEqual([...before, 'DISCONNECT']);
    expect(outcome.received.at(-1)).toMatchObject({ reasonCode });
  });

  test('before SUBACK', async () => {
    const before = ['CONNECT', 'SUBSCRIBE'];
    const silent = (packet: Packet): unknown => packet.type !== PacketType.SUBSCRIBE;
    const outcome = await timedOut([], silent, before);
    expect(outcome).toMatchObject({ code: 27, err: 'Timed out\n' });
    expect(names(outcome.received)).toEqual([...before, 'DISCONNECT']);
  });

  test('before CONNACK', async () => {
    expect(await timedOut([], () => false, ['CONNECT'])).toMatchObject({ code: 27, err: 'Timed out\n' });
  });

  test('--quiet hides the line', async () => {
    expect(await timedOut(['--quiet'], () => false, ['CONNECT'])).toMatchObject({ code: 27, err: '' });
  });

  test('in time', async () => {
    expect(await rr(responding(correlated('yes')), ['-W', '100'])).toMatchObject({ code: 0, out: 'yes\n' });
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s is left to the system (cli §13)', async (signal) => {
  let cut = (): void => {};
  const broker = await scriptedBroker((packet, peer) => {
    cut = () => peer.socket.destroy();
    return packet.type !== PacketType.PUBLISH;
  });
  const { io, ended } = start([...broker.at, ...REQUEST]);
  await broker.until((received) => received.some(({ type }) => type === PacketType.PUBLISH));
  expect(io.signal(signal)).toBe(false);
  cut();
  expect(await ended).toBe(7);
});
