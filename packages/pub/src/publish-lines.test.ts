import { PassThrough, Readable } from 'node:stream';
import { type Packet, PacketType, type Publish } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bytes, MemoryIo, type MemoryIoOptions } from '../../cli-kit/test/memory-io.js';
import {
  acknowledgement,
  connack,
  names,
  type Peer,
  scriptedBroker,
} from '../../cli-kit/test/scripted-broker.js';
import { run } from './run.js';

function start(args: readonly string[], options: MemoryIoOptions = {}) {
  const io = new MemoryIo(options);
  return { io, ended: run(bytes(args), io) };
}

async function lines(args: readonly string[], stdin: string | Uint8Array) {
  const { io, ended } = start(args, { stdin });
  return { code: await ended, err: io.err };
}

function messages(received: readonly Packet[]): Publish[] {
  return received.filter((packet): packet is Publish => packet.type === PacketType.PUBLISH);
}

function payloads(received: readonly Packet[]): string[] {
  return messages(received).map(({ payload }) => Buffer.from(payload).toString('latin1'));
}

describe.each([0, 1, 2])('lines at QoS %i (cli §11.3)', (qos) => {
  test('every line is a message, any byte but LF', async () => {
    const broker = await scriptedBroker();
    const input = Buffer.from('one\r\n\n\xff\0\x80\nlast', 'latin1');
    const outcome = await lines([...broker.at, '-t', 'a', '-l', '-q', String(qos), '-r'], input);
    expect(outcome).toEqual({ code: 0, err: '' });
    expect(payloads(broker.received)).toEqual(['one\r', '', '\xff\0\x80', 'last']);
    expect(messages(broker.received)).toMatchObject(
      [1, 2, 3, 4].map(() => ({ topic: 'a', qos, retain: true })),
    );
    expect(names(broker.received).at(-1)).toBe('DISCONNECT');
  });

  test('20,000 lines all arrive, in order, before the exit', async () => {
    const broker = await scriptedBroker();
    const expected = Array.from({ length: 20_000 }, (_, index) => String(index));
    const outcome = await lines(
      [...broker.at, '-t', 'a', '-l', '-q', String(qos)],
      `${expected.join('\n')}\n`,
    );
    expect(outcome).toEqual({ code: 0, err: '' });
    expect(payloads(broker.received)).toEqual(expected);
  });
});

test('no lines: connect, disconnect, exit 0', async () => {
  const broker = await scriptedBroker();
  expect(await lines([...broker.at, '-t', 'a', '-l'], '')).toEqual({ code: 0, err: '' });
  expect(names(broker.received)).toEqual(['CONNECT', 'DISCONNECT']);
});

test('refused lines: warnings, and the first reason is the exit code (P-1)', async () => {
  const reasons = [0x10, 0x87, 0x97];
  const broker = await scriptedBroker((packet, peer) => {
    if (packet.type !== PacketType.PUBLISH) return true;
    peer.send(acknowledgement(PacketType.PUBACK, packet.packetId, reasons.shift()!));
    return false;
  });
  expect(await lines([...broker.at, '-V', '5', '-t', 'a', '-l', '-q', '1'], 'a\nb\nc\n')).toEqual({
    code: 0x87,
    err: 'Warning: Publish 2 failed: Not authorized.\nWarning: Publish 3 failed: Quota exceeded.\n',
  });
});

test('the broker’s Maximum QoS is too low: exit 24', async () => {
  const broker = await scriptedBroker((packet, peer) => {
    return (
      packet.type !== PacketType.CONNECT || void peer.send(connack(0, [{ name: 'maximumQoS', value: 0 }]))
    );
  });
  const { code, err } = await lines([...broker.at, '-V', '5', '-t', 'a', '-l', '-q', '1'], 'a\nb\n');
  expect(code).toBe(24);
  expect(err).toMatch(/^Error: Requested QoS not supported on server\n/);
});

test('input that cannot be read is an error, after what could be was delivered', async () => {
  const broker = await scriptedBroker();
  const stdin = new PassThrough();
  const { io, ended } = start([...broker.at, '-t', 'a', '-l', '-q', '1'], { stdin });
  stdin.write('one\n');
  await broker.until((received) => messages(received).length === 1);
  stdin.destroy(Object.assign(new Error('EIO'), { code: 'EISDIR' }));
  expect([await ended, io.err]).toEqual([1, 'Error: Unable to read standard input: Is a directory.\n']);
  expect(names(broker.received).at(-1)).toBe('DISCONNECT');
});

test('a line that is larger than the broker takes ends it: exit 25', async () => {
  const broker = await scriptedBroker((packet, peer) => {
    return (
      packet.type !== PacketType.CONNECT ||
      void peer.send(connack(0, [{ name: 'maximumPacketSize', value: 100 }]))
    );
  });
  const input = `one\n${'x'.repeat(200)}\nthree\n`;
  expect(await lines([...broker.at, '-V', '5', '-t', 'a', '-l', '-q', '1'], input)).toEqual({
    code: 25,
    err: 'Error: Packet larger than supported by the server\nError: 2 of 3 messages were not delivered.\n',
  });
  expect(payloads(broker.received)).toEqual(['one']);
});

describe('a connection that is lost (P-8, P-24, P-25)', () => {
  /** Drops the first connection at its first PUBLISH, and answers from then on. */
  const dropOnce = (packet: Packet, peer: Peer): unknown => {
    if (peer.number === 1 && packet.type === PacketType.PUBLISH) return void peer.socket.destroy();
    return true;
  };

  test.each([1, 2])('QoS %i lines go out again on the next one, as new messages', async (qos) => {
    const broker = await scriptedBroker(dropOnce);
    const outcome = await lines([...broker.at, '-t', 'a', '-l', '-q', String(qos)], 'one\ntwo\n');
    expect(outcome.code).toBe(0);
    expect(outcome.err).toMatch(/^Warning: Connection to 127.0.0.1:\d+ was lost \(.+\); reconnecting.\n/);
    expect(outcome.err).toMatch(/\nWarning: Connection to 127.0.0.1:\d+ is back.\n/);
    const second = broker.received.slice(
      broker.received.findLastIndex(({ type }) => type === PacketType.CONNECT),
    );
    expect(payloads(second)).toEqual(['one', 'two']);
    expect(messages(second).map(({ dup }) => dup)).toEqual([false, false]);
  });

  /** The same, and keeps the session if `kept`. */
  const dropOnceAndResume =
    (kept: boolean) =>
    (packet: Packet, peer: Peer): unknown => {
      if (peer.number === 2 && packet.type === PacketType.CONNECT) {
        return void peer.send({ ...connack(0), sessionPresent: kept } as Packet);
      }
      return dropOnce(packet, peer);
    };

  test('MQTT 5 resumes a session of its own, which ends with the stream (issue 3, P-25)', async () => {
    const broker = await scriptedBroker(dropOnceAndResume(true));
    const outcome = await lines([...broker.at, '-V', '5', '-t', 'a', '-l', '-q', '2'], 'one\ntwo\n');
    expect(outcome.code).toBe(0);
    expect(outcome.err).toMatch(/ is back.\n$/);
    const connects = broker.received.filter((packet) => packet.type === PacketType.CONNECT);
    const sessionExpiryInterval = { name: 'sessionExpiryInterval', value: 300 };
    expect(connects).toMatchObject([
      { cleanStart: true, properties: [sessionExpiryInterval, { name: 'receiveMaximum' }] },
      { cleanStart: false, properties: [sessionExpiryInterval, { name: 'receiveMaximum' }] },
    ]);
    expect(messages(broker.received).at(-1)).toMatchObject({ dup: true });
    expect(broker.received.at(-1)).toMatchObject({
      type: PacketType.DISCONNECT,
      properties: [{ name: 'sessionExpiryInterval', value: 0 }],
    });
  });

  test.each([
    ['5', [], false],
    ['311', [], false],
    ['311', ['-c', '-i', 'me'], false],
    ['311', ['-c', '-i', 'me'], true],
  ])('-V %s %j at QoS 2: says what may be doubled, session kept: %j', async (version, args, kept) => {
    const broker = await scriptedBroker(dropOnceAndResume(kept));
    const { code, err } = await lines(
      [...broker.at, '-V', version, ...args, '-t', 'a', '-l', '-q', '2'],
      'one\ntwo\n',
    );
    expect(code).toBe(0);
    const warning =
      'Warning: The broker has not kept the session: up to 2 messages may be delivered twice.\n';
    expect(err.endsWith(warning)).toBe(!kept);
  });

  test.each([
    ['-q', '0'],
    ['-q', '1', '-x', '0'],
    ['-q', '2', '-c', '-i', 'me'],
    ['-q', '1', '-D', 'connect', 'session-expiry-interval', '7'],
  ])('asks for no session of its own with %j', async (...args) => {
    const broker = await scriptedBroker();
    expect((await lines([...broker.at, '-V', '5', '-t', 'a', '-l', ...args], 'x\n')).code).toBe(0);
    expect(JSON.stringify(broker.received[0])).not.toContain('300');
    expect(broker.received.at(-1)).toMatchObject({ type: PacketType.DISCONNECT, properties: [] });
  });

  test('--quiet hides both lines', async () => {
    const broker = await scriptedBroker(dropOnce);
    expect(await lines([...broker.at, '-t', 'a', '-l', '-q', '1', '--quiet'], 'one\n')).toEqual({
      code: 0,
      err: '',
    });
  });

  test('a refusal when coming back ends it, and what is missing is counted', async () => {
    const broker = await scriptedBroker((packet, peer) => {
      if (peer.number > 1) return void peer.send(connack(5));
      return dropOnce(packet, peer);
    });
    const { code, err } = await lines([...broker.at, '-t', 'a', '-l', '-q', '1'], 'one\ntwo\n');
    expect(code).toBe(5);
    expect(err).toContain(
      'Connection error: Connection Refused: not authorised\nError: The connection was refused\n',
    );
    expect(err).toMatch(/\nError: 2 of 2 messages were not delivered.\n$/);
  });

  test('--give-up ends the waiting', async () => {
    const broker = await scriptedBroker((packet, peer) => {
      if (peer.number > 1) return void peer.socket.destroy();
      return dropOnce(packet, peer);
    });
    const { code, err } = await lines(
      [...broker.at, '-t', 'a', '-l', '-q', '1', '--give-up', '0'],
      'one\ntwo\n',
    );
    expect(code).toBe(7);
    expect(err).toMatch(/\nError: The connection was lost\nError: 2 of 2 messages were not delivered.\n$/);
  });
});

describe('a broker that ends every connection at the same line (P-8, P-24)', () => {
  /** Acknowledges `one`, and takes nothing else for an answer than the end. */
  const choking = (packet: Packet, peer: Peer): unknown => {
    if (packet.type !== PacketType.PUBLISH || String(packet.payload) === 'one') return true;
    return void peer.socket.destroy();
  };

  test('is not worth the waiting longer than --give-up says, however often the connection is back', async () => {
    const broker = await scriptedBroker(choking);
    const args = [...broker.at, '-t', 'a', '-l', '-q', '1', '--give-up', '2'];
    const { code, err } = await lines(args, 'one\ntoo long\nthree\n');
    expect(code).toBe(7);
    expect(err).toMatch(/ is back\.\n/);
    expect(err).toMatch(/\nError: The connection was lost\nError: 2 of 3 messages were not delivered\.\n$/);
  });

  test('is come back to less and less often, and the user is told of the line', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const broker = await scriptedBroker(choking);
    const { io, ended } = start([...broker.at, '-t', 'a', '-l', '-q', '1']);
    io.keyboard.end('one\ntoo long\nthree\n');
    const losses = (): number => io.err.split(' was lost (').length - 1;
    const waits: number[] = [];
    for (let loss = 1; loss <= 8; loss++) {
      await io.until(() => losses() === loss);
      let waited = 0;
      // In steps, for the timers that belong to nobody's waiting are let pass, too.
      const seen = broker.received.length;
      while (broker.received.length === seen && waited < 60_000) {
        await vi.advanceTimersByTimeAsync(250);
        waited += 250;
        for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
      }
      waits.push(waited);
    }
    // 1 s, then up to twice as long each time, at most 30 s.
    expect(waits[0]).toBe(1000);
    for (const [index, wait] of waits.entries()) {
      const longest = Math.min(30_000, 1000 * 2 ** index);
      expect(wait).toBeGreaterThanOrEqual(longest * 0.75);
      expect(wait).toBeLessThanOrEqual(longest + 500);
    }
    expect(io.err.match(/^Warning: Nothing was .*$/gm)).toEqual([
      'Warning: Nothing was acknowledged on the last 3 connections. Line 2 is the first that waits; it may be longer than the broker takes.',
    ]);
    io.signal('SIGTERM');
    await vi.advanceTimersByTimeAsync(5000);
    expect(await ended).toBe(143);
    expect(io.err).toMatch(/\nError: 2 of 3 messages were not delivered\.\n$/);
  });
});

test('the end of input is seen while lines wait: --give-up counts from there (P-24)', async () => {
  const broker = await scriptedBroker((packet, peer) => {
    if (peer.number === 1 && packet.type === PacketType.CONNECT) return true;
    return void peer.socket.destroy();
  });
  const { io, ended } = start([...broker.at, '-t', 'a', '-l', '--give-up', '0']);
  io.keyboard.write('one\n');
  await io.until(({ err }) => err.includes(' was lost ('));
  io.keyboard.write('two\nth');
  io.keyboard.end('ree\n');
  expect(await ended).toBe(7);
  expect(io.err).toMatch(/\nError: The connection was lost\nError: 2 of 3 messages were not delivered\.\n$/);
});

describe('signals (P-24)', () => {
  test('what was read is delivered, then 128 and the number', async () => {
    const broker = await scriptedBroker();
    const { io, ended } = start([...broker.at, '-t', 'a', '-l', '-q', '1']);
    io.keyboard.write('one\ntwo\n');
    await broker.until((received) => messages(received).length === 2);
    expect(io.signal('SIGTERM')).toBe(true);
    expect(await ended).toBe(143);
    expect(io.err).toBe('');
    expect(names(broker.received).at(-1)).toBe('DISCONNECT');
  });

  test('what cannot be delivered within 5 s is counted; a second signal is the system’s', async () => {
    const broker = await scriptedBroker((packet) => packet.type !== PacketType.PUBLISH);
    const { io, ended } = start([...broker.at, '-t', 'a', '-l', '-q', '1']);
    io.keyboard.write('one\ntwo\nnot ended');
    await broker.until((received) => messages(received).length === 2);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    expect([io.signal('SIGINT'), io.signal('SIGINT')]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(4999);
    expect(io.err).toBe('');
    await vi.advanceTimersByTimeAsync(1);
    expect(await ended).toBe(130);
    expect(io.err).toBe('Error: 3 of 3 messages were not delivered.\n');
  });

  test('behind the end of input, too: what waits for its acknowledgement is not dropped unsaid', async () => {
    const broker = await scriptedBroker((packet) => packet.type !== PacketType.PUBLISH);
    const { io, ended } = start([...broker.at, '-t', 'a', '-l', '-q', '1']);
    io.keyboard.end('one\ntwo\n');
    await broker.until((received) => messages(received).length === 2);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    expect([io.signal('SIGTERM'), io.signal('SIGINT')]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await ended).toBe(143);
    expect(io.err).toBe('Error: 2 of 2 messages were not delivered.\n');
  });

  test('a single message leaves them to the system (cli §11.7)', async () => {
    const broker = await scriptedBroker((packet, peer) => {
      if (packet.type === PacketType.PUBLISH) {
        expect(io.signal('SIGINT')).toBe(false);
        peer.send(acknowledgement(PacketType.PUBACK, packet.packetId));
      }
      return packet.type !== PacketType.PUBLISH;
    });
    const io = new MemoryIo();
    expect(await run(bytes([...broker.at, '-t', 'a', '-m', 'x', '-q', '1']), io)).toBe(0);
  });
});

test('input is not read faster than it can be sent', async () => {
  let unacknowledged: (() => void)[] | undefined = [];
  const broker = await scriptedBroker((packet, peer) => {
    if (packet.type === PacketType.PUBLISH)
      unacknowledged?.push(() => peer.send(acknowledgement(4, packet.packetId)));
    return packet.type !== PacketType.PUBLISH || unacknowledged === undefined;
  });
  const chunk = Buffer.from(`${'x'.repeat(999)}\n`.repeat(64));
  let read = 0;
  const endless = new Readable({
    read() {
      read++;
      setImmediate(() => this.push(chunk));
    },
  });
  const { io, ended } = start([...broker.at, '-t', 'a', '-l', '-q', '1'], { stdin: endless });
  await broker.until((received) => messages(received).length === 20);
  for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate);
  expect(read).toBeLessThan(100);
  io.signal('SIGINT');
  const acknowledge = unacknowledged;
  unacknowledged = undefined;
  for (const one of acknowledge) one();
  expect(await ended).toBe(130);
});
