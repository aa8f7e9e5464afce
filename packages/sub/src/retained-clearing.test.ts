import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Writable } from 'node:stream';
import { connect, tcp } from '@tsmqtt/client';
import { type Packet, PacketType, type Publish } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  acknowledgement,
  connack,
  message,
  names,
  type Peer,
  polite,
  scriptedBroker,
} from '../../cli-kit/test/scripted-broker.js';
import { sending, start, sub } from '../test/run-sub.js';

const retained = (topic: string, payload = topic): Publish => message(topic, payload, { retain: true });

function clears(received: readonly Packet[]): string[] {
  return received.flatMap((packet) => (packet.type === PacketType.PUBLISH ? [packet.topic] : []));
}

const ARGUMENTS = ['-t', '#', '--remove-retained'];

describe('what is cleared (cli §12.5)', () => {
  test('QoS 1, retained, empty, once per retained message; it is printed all the same', async () => {
    const { code, out, err, received } = await sub(
      sending(retained('a', '1'), message('live', '2'), retained('é', '3')),
      ...[...ARGUMENTS, '-C', '3'],
    );
    expect([code, out, err]).toEqual([0, '1\n2\n3\n', '']);
    const published = received.filter(({ type }) => type === PacketType.PUBLISH) as Publish[];
    expect(published).toMatchObject(
      ['a', 'é'].map((topic) => ({ topic, qos: 1, retain: true, dup: false, payload: Buffer.alloc(0) })),
    );
    expect(names(received)).toEqual(['CONNECT', 'SUBSCRIBE', 'PUBLISH', 'PUBLISH', 'DISCONNECT']);
  });

  test.each([
    ['-R spares them all', ['-R', '-C', '1'], []],
    ['-T spares its own', ['-T', 'keep/#', '-C', '2'], ['a']],
    ['what --random-filter hides is cleared', ['--random-filter', '50', '-C', '3'], ['keep/1', 'a']],
    ['--retained-only', ['--retained-only'], ['keep/1', 'a']],
    ['nothing behind -C', ['-C', '1'], ['keep/1']],
    ['what # inside a filter brings in and was not asked for is spared (P-18)', ['-C', '1'], ['a'], '#/a'],
  ])('%s', async (_name, args, topics, filter = '#') => {
    // Hides everything.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.999);
    onTestFinished(() => random.mockRestore());
    const outcome = await sub(
      sending(retained('keep/1'), retained('a'), message('live', 'x')),
      ...['-t', filter, '--remove-retained', ...args],
    );
    expect([outcome.code, outcome.err]).toEqual([0, '']);
    expect(clears(outcome.received)).toEqual(topics);
  });

  test('not an empty one: it is our own come back, with --retain-as-published', async () => {
    const { out, received } = await sub(
      sending(retained('a'), retained('a', '')),
      ...[...ARGUMENTS, '-V', '5', '--retain-as-published', '-v', '-C', '2'],
    );
    expect(out).toBe('a a\na (null)\n');
    expect(clears(received)).toEqual(['a']);
  });

  test('not what stdout did not take (P-22)', async () => {
    const broker = await scriptedBroker(sending(retained('a')));
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    });
    const { ended } = start([...broker.at, ...ARGUMENTS], { stdout });
    expect(await ended).toBe(0);
    expect(names(broker.received)).toEqual(['CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
  });
});

describe('the end waits for the broker (D-6)', () => {
  /** Sends messages, and keeps back the PUBACKs of what is published until told. */
  function holding(...messages: Publish[]) {
    const held: (() => void)[] = [];
    const answer = (packet: Packet, peer: Peer): unknown => {
      if (packet.type !== PacketType.PUBLISH) return sending(...messages)(packet, peer);
      held.push(() => polite(packet, peer));
      return false;
    };
    return { answer, held };
  }

  test.each([
    ['-C', ['-C', '2']],
    ['--retained-only', ['--retained-only']],
  ])(
    '%s: DISCONNECT after the last PUBACK, and nothing printed or acknowledged meanwhile',
    async (_, args) => {
      const { answer, held } = holding(
        message('a', '1', { retain: true, qos: 1, packetId: 1 }),
        message('b', '2', { retain: true, qos: 1, packetId: 2 }),
        message('c', '3', { qos: 0 }),
        message('d', '4', { qos: 1, packetId: 4 }),
      );
      const broker = await scriptedBroker(answer);
      const { io, ended } = start([...broker.at, ...ARGUMENTS, '-q', '1', ...args]);
      await broker.until((received) => clears(received).length === 2);
      held[0]!();
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      expect(names(broker.received)).not.toContain('DISCONNECT');
      held[1]!();
      expect([await ended, io.out.toString()]).toEqual([0, '1\n2\n']);
      expect(names(broker.received).slice(2).sort()).toEqual(
        ['DISCONNECT', 'PUBACK', 'PUBACK', 'PUBLISH', 'PUBLISH'].sort(),
      );
      expect(names(broker.received).at(-1)).toBe('DISCONNECT');
    },
  );

  test('many more than may be in flight', async () => {
    const messages = Array.from({ length: 1000 }, (_, index) => retained(`t/${index}`));
    const { code, received } = await sub(sending(...messages), ...ARGUMENTS, '-C', '1000');
    expect(code).toBe(0);
    expect(clears(received)).toEqual(messages.map(({ topic }) => topic));
  });

  test('over a connection that is lost meanwhile, without subscribing again', async () => {
    const { code, out, received } = await sub(
      (packet, peer) => {
        if (packet.type === PacketType.PUBLISH && peer.number === 1) return void peer.socket.destroy();
        return sending(retained('a', '1'))(packet, peer);
      },
      ...[...ARGUMENTS, '-C', '1', '--quiet'],
    );
    expect([code, out]).toEqual([0, '1\n']);
    expect(names(received)).toEqual(['CONNECT', 'SUBSCRIBE', 'PUBLISH', 'CONNECT', 'PUBLISH', 'DISCONNECT']);
  });

  test('a refusal when coming back ends it with its code', async () => {
    const { code, err } = await sub(
      (packet, peer) => {
        if (peer.number > 1) return void peer.send(connack(5));
        if (packet.type === PacketType.PUBLISH) return void peer.socket.destroy();
        return sending(retained('a'))(packet, peer);
      },
      ...[...ARGUMENTS, '-C', '1'],
    );
    expect(code).toBe(5);
    expect(err).toMatch(/Connection error: Connection Refused: not authorised\n$/);
  });

  test.each([
    ['a signal', [], 0, ''],
    ['-W', ['-W', '2'], 27, 'Timed out\n'],
  ])('not after %s', async (_name, args, code, err) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { answer } = holding(retained('a'));
    const broker = await scriptedBroker(answer);
    const { io, ended } = start([...broker.at, ...ARGUMENTS, '-V', '5', '-C', '1', ...args]);
    await broker.until((received) => clears(received).length === 1);
    if (args.length === 0) io.signal('SIGINT');
    else await vi.advanceTimersByTimeAsync(2000);
    expect([await ended, io.err]).toEqual([code, err]);
    expect(broker.received.at(-1)).toMatchObject({ type: PacketType.DISCONNECT, reasonCode: 4 });
  });
});

describe('a clear that the broker does not take', () => {
  const refusing = (packet: Packet, peer: Peer): unknown => {
    if (packet.type !== PacketType.PUBLISH) return sending(retained('a'), retained('b'))(packet, peer);
    return void peer.send(
      acknowledgement(PacketType.PUBACK, packet.packetId, packet.topic === 'a' ? 0x87 : 0),
    );
  };

  test('is said, and is the exit code (P-1)', async () => {
    expect(await sub(refusing, ...ARGUMENTS, '-V', '5', '-C', '2')).toMatchObject({
      code: 0x87,
      out: 'a\nb\n',
      err: "Warning: Retained message on 'a' was not cleared: Not authorized.\n",
    });
  });

  test('because of its QoS, too', async () => {
    const answer = (packet: Packet, peer: Peer): unknown =>
      packet.type === PacketType.CONNECT
        ? void peer.send(connack(0, [{ name: 'maximumQoS', value: 0 }]))
        : refusing(packet, peer);
    const { code, err, received } = await sub(answer, ...ARGUMENTS, '-V', '5', '-C', '1');
    expect([code, err]).toEqual([
      0x9b,
      "Warning: Retained message on 'a' was not cleared: QoS not supported.\n",
    ]);
    expect(clears(received)).toEqual([]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test.each(['31', '311', '5'])('clears them in a broker for good, -V %s', async (version) => {
  const port = await freePort();
  const hosting = start(['--local', '-p', String(port), '-t', 'none', '-d']);
  await hosting.io.until(({ out }) => out.includes('received SUBACK'));
  const client = await connect({ connector: tcp({ host: '127.0.0.1', port }) });
  const topics = Array.from({ length: 50 }, (_, index) => `r/${index}`);
  for (const topic of topics) await client.publish(topic, 'x', { qos: 1, retain: true });
  await client.end();
  const args = ['-h', '127.0.0.1', '-p', String(port), '-V', version, '-v'];
  const first = start([...args, '-t', 'r/#', '--remove-retained', '--retained-only']);
  expect(await first.ended).toBe(0);
  expect(first.io.out.toString().trim().split('\n').sort()).toEqual(
    topics.map((topic) => `${topic} x`).sort(),
  );
  // What is still retained would come first.
  const second = start([...args, '-t', 'r/#', '-t', 'end', '-C', '1']);
  const last = await connect({ connector: tcp({ host: '127.0.0.1', port }) });
  await last.publish('end', 'x', { qos: 1, retain: true });
  await last.end();
  expect([await second.ended, second.io.out.toString()]).toEqual([0, 'end x\n']);
  hosting.io.signal('SIGTERM');
  expect(await hosting.ended).toBe(0);
});
