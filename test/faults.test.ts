import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { connect, tcp } from '@tsmqtt/client';
import { PacketType } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { message, scriptedBroker, suback } from '../packages/cli-kit/test/scripted-broker.js';
import {
  type BrokerName,
  describeBrokers,
  type RunningBroker,
  startBroker,
  startBrokerProcess,
} from './support/brokers.js';
import { startChild } from './support/child.js';
import { collect } from './support/collector.js';
import { type Fault, faultProxy } from './support/fault-proxy.js';
import { programFile, startProgram } from './support/programs.js';

/** Nothing that is on its way to a subscriber is dropped by the broker itself. */
const PATIENT = { conf: ['allow_anonymous true', 'max_queued_messages 0'] };

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `line ${from + index}`);

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** The faults of the first connections, one after the other; later ones have none. */
const inTurn =
  (...faults: readonly Fault[]) =>
  (connection: number): Fault =>
    faults[connection - 1] ?? {};

/** Lines in their order, each once. */
const once = (payloads: readonly string[]): string[] => [...new Set(payloads)];

const sorted = (payloads: readonly string[]): string[] => [...payloads].sort();

const CUTS = inTurn({ cutAfterSent: 1234 }, { cutAfterReceived: 600 }, { cutAfterSent: 20_001 });

describeBrokers('pub -l through cuts', (name) => {
  // Before MQTT 5 it takes `-c -i ID` to be resumed; without, QoS 2 may double what was in flight.
  // biome-ignore format: one row a line
  const rows = [
    { args: ['-V', '311', '-q', '1'], exact: false, doubled: false },
    { args: ['-V', '5', '-q', '1'], exact: false, doubled: false },
    { args: ['-V', '5', '-q', '2'], exact: true, doubled: false },
    { args: ['-V', '311', '-q', '2', '-c', '-i', 'pub'], exact: true, doubled: false },
    { args: ['-V', '311', '-q', '2'], exact: false, doubled: true },
    { args: ['-V', '31', '-q', '2'], exact: false, doubled: true },
    { args: ['-V', '5', '-q', '2', '-x', '0'], exact: false, doubled: true },
  ];
  for (const { args, exact, doubled } of rows) {
    test(`${args.join(' ')} loses nothing${exact ? ' and doubles nothing' : ''}`, async () => {
      const broker = await startBroker(name, PATIENT);
      const collector = await collect(broker.port);
      const proxy = await faultProxy(broker.port, CUTS);
      const lines = numbered(3000);
      const child = startProgram('tsmqtt-pub', [...proxy.at, '-t', 't', '-l', ...args], {
        input: text(lines),
      });
      const { code, stderr } = await child.ended;
      await collector.until((payloads) => payloads.includes(lines.at(-1)!));
      expect({ code, connections: proxy.connections }).toEqual({ code: 0, connections: 4 });
      expect(once(collector.payloads)).toEqual(lines);
      if (exact) expect(collector.payloads).toEqual(lines);
      expect(stderr.match(/ was lost \(/g)).toHaveLength(3);
      expect(stderr.match(/ is back\.$/gm)).toHaveLength(3);
      const warnings = [...stderr.matchAll(/up to (\d+) messages may be delivered twice\.$/gm)];
      expect(warnings.length > 0).toBe(doubled);
      if (doubled) {
        const announced = warnings.reduce((sum, [, count]) => sum + Number(count), 0);
        expect(collector.payloads.length - lines.length).toBeLessThanOrEqual(announced);
      }
    });
  }
});

describe('what a connection may do to a stream', () => {
  for (const qos of ['0', '1', '2']) {
    for (const [what, fault] of [
      ['single bytes', { singleBytes: true }],
      ['a slow way back', { delay: 5 }],
      ['acknowledgements in reverse', { reverseAcknowledgements: 7 }],
    ] as const) {
      test(`${what}, QoS ${qos}`, async () => {
        const broker = await startBroker('tsmqtt-broker');
        const collector = await collect(broker.port);
        const proxy = await faultProxy(broker.port, () => fault);
        const lines = numbered(500);
        const args = [...proxy.at, '-V', '5', '-t', 't', '-l', '-q', qos];
        const { code, stderr } = await startProgram('tsmqtt-pub', args, { input: text(lines) }).ended;
        await collector.until((payloads) => payloads.length >= lines.length);
        expect({ code, stderr, lines: sorted(collector.payloads) }).toEqual({
          code: 0,
          stderr: '',
          lines: sorted(lines),
        });
        // A broker may pass QoS 2 on at PUBREL, which comes in the order of PUBREC [MQTT-4.6.0-4].
        if (!('reverseAcknowledgements' in fault && qos === '2')) expect(collector.payloads).toEqual(lines);
      });
    }
  }
});

describeBrokers('a broker that goes away', (name) => {
  test('and comes back: the stream goes on', async () => {
    const broker = await startBroker(name, PATIENT);
    const proxy = await faultProxy(broker.port);
    const first = await collect(broker.port);
    const child = startProgram('tsmqtt-pub', [...proxy.at, '-t', 't', '-l', '-q', '1']);
    const before = numbered(100);
    const after = numbered(100, 100);
    child.stdin.write(text(before));
    await first.until((payloads) => payloads.length === before.length);
    proxy.fail();
    await broker.child.kill('SIGKILL');
    child.stdin.end(text(after));
    await child.line(/ was lost \(/, 'stderr');
    const second = await collectAt(await restarted(name, broker));
    proxy.restore();
    const { code, stderr } = await child.ended;
    await second.until((payloads) => payloads.includes(after.at(-1)!));
    expect(code).toBe(0);
    expect(stderr).toMatch(/ is back\.\n$/);
    expect(once([...first.payloads, ...second.payloads])).toEqual([...before, ...after]);
  });

  test('QoS 0 lines wait at the source while it is away, and then all arrive', async () => {
    const broker = await startBroker(name, PATIENT);
    const proxy = await faultProxy(broker.port);
    const collector = await collect(broker.port);
    const child = startProgram('tsmqtt-pub', [...proxy.at, '-t', 't', '-l', '-q', '0']);
    child.stdin.write('before\n');
    await collector.until((payloads) => payloads.length === 1);
    proxy.fail();
    await child.line(/ was lost \(/, 'stderr');
    const lines = numbered(20_000).map((line) => line.padEnd(200, '.'));
    child.stdin.write(text(lines));
    await proxy.nextConnection();
    // Four megabytes: what the pipe holds and one buffer are gone, the rest was not read.
    expect(child.stdin.writableLength).toBeGreaterThan(3_000_000);
    proxy.restore();
    child.stdin.end();
    expect(await child.ended).toMatchObject({ code: 0 });
    await collector.until((payloads) => payloads.length > lines.length);
    expect(collector.payloads).toEqual(['before', ...lines]);
  });

  test('for longer than --give-up: the lines that are left are counted', async () => {
    const broker = await startBroker(name);
    const proxy = await faultProxy(broker.port);
    const collector = await collect(broker.port);
    const child = startProgram('tsmqtt-pub', [...proxy.at, '-t', 't', '-l', '--give-up', '1']);
    child.stdin.write('before\n');
    await collector.until((payloads) => payloads.length === 1);
    proxy.fail();
    await child.line(/ was lost \(/, 'stderr');
    child.stdin.end('one\ntwo\n');
    const { code, stderr } = await child.ended;
    expect(code).toBe(7);
    expect(stderr).toMatch(
      /\nError: The connection was lost\nError: 2 of 3 messages were not delivered\.\n$/,
    );
  });
});

/** The same broker again, on its port. */
async function restarted(name: BrokerName, broker: RunningBroker): Promise<RunningBroker> {
  const child = startBrokerProcess(name, ['-c', path.join(broker.folder, 'mosquitto.conf')]);
  await child.line(/version \S+ running$/, 'stderr');
  return { ...broker, child };
}

const collectAt = ({ port }: RunningBroker) => collect(port);

describeBrokers('sub through cuts', (name) => {
  for (const version of ['311', '5']) {
    test(`-V ${version}: subscribes again, loses nothing of a session, prints whole lines`, async () => {
      const broker = await startBroker(name, PATIENT);
      const proxy = await faultProxy(
        broker.port,
        inTurn({ cutAfterReceived: 333 }, { cutAfterReceived: 2001 }, { singleBytes: true }),
      );
      const session = ['-c', '-i', 'sub', '-q', '1', '-t', 't'];
      const child = startProgram('tsmqtt-sub', [...proxy.at, '-V', version, ...session, '-d']);
      await child.line(/^Subscribed \(mid: /);
      const lines = numbered(400);
      await publishAll(broker.port, lines);
      await child.line(lines.at(-1)!);
      const { code, stdout, stderr } = await child.kill('SIGINT');
      const printed = stdout
        .toString()
        .split('\n')
        .filter((line) => !/^(Client|Subscribed|Received)/.test(line));
      expect(printed.pop()).toBe('');
      expect(code).toBe(0);
      expect(once(printed)).toEqual(lines);
      expect(proxy.connections).toBe(3);
      expect(stderr.match(/ is back\.$/gm)).toHaveLength(2);
      expect(stdout.toString().match(/ sending SUBSCRIBE /g)).toHaveLength(3);
    });
  }
});

async function publishAll(port: number, lines: readonly string[]): Promise<void> {
  const client = await connect({ connector: tcp({ host: '127.0.0.1', port }) });
  onTestFinished(() => client.destroy());
  await Promise.all(lines.map((line) => client.publish('t', line, { qos: 1 })));
  await client.end();
}

describe('sub in a pipeline', () => {
  test('sub | head -1 ends at its next write, exit 0 (P-22)', async () => {
    const broker = await startBroker('tsmqtt-broker');
    const command = `"$0" "$1" -d "\${@:2}" | grep -m 1 '^one$'; echo "\${PIPESTATUS[0]}"`;
    const args = [process.execPath, programFile('tsmqtt-sub'), ...broker.at, '-t', 't'];
    const pipeline = startChild('bash', ['-c', command, ...args]);
    let over = false;
    void pipeline.ended.then(() => {
      over = true;
    });
    const client = await connect({ connector: tcp({ host: '127.0.0.1', port: broker.port }) });
    onTestFinished(() => client.destroy());
    // Until it has subscribed nothing arrives, and what arrives after the first is the next write.
    while (!over) {
      await client.publish('t', 'one', { qos: 1 });
      await new Promise(setImmediate);
    }
    expect(await pipeline.ended).toMatchObject({ stdout: Buffer.from('one\n0\n'), stderr: '' });
  });

  test('a sub that has stopped reading does not take a missing PINGRESP for a dead broker', async () => {
    const lines = numbered(20_000).map((line) => line.padEnd(200, '.'));
    const pings: (() => void)[] = [];
    const secondPing = new Promise<void>((resolve) => {
      pings.push(() => {}, resolve);
    });
    const broker = await scriptedBroker((packet, peer) => {
      if (packet.type === PacketType.PINGREQ) return void pings.shift()?.();
      if (packet.type !== PacketType.SUBSCRIBE) return true;
      peer.send(suback(packet.packetId, [0]));
      for (const line of lines) peer.send(message('t', line));
      return false;
    });
    const child = startProgram('tsmqtt-sub', [...broker.at, '-t', 't', '-k', '5'], { collect: false });
    // The first one was never answered.
    await secondPing;
    child.readStdout();
    await child.lines(lines.length);
    const { code, stdout, stderr } = await child.kill('SIGINT');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.toString()).toBe(text(lines));
  });
});

describeBrokers('signals while lines are read (P-24)', (name) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal}: what was read is delivered, then ${code}`, async () => {
      const broker = await startBroker(name, PATIENT);
      const collector = await collect(broker.port);
      const proxy = await faultProxy(broker.port, () => ({ delay: 20 }));
      const child = startProgram('tsmqtt-pub', [...proxy.at, '-t', 't', '-l', '-q', '2']);
      const lines = numbered(200);
      child.stdin.write(text(lines));
      await collector.until((payloads) => payloads.length > 0);
      expect(await child.kill(signal)).toMatchObject({ code, stderr: '' });
      await collector.until((payloads) => payloads.length >= lines.length);
      expect(collector.payloads).toEqual(lines);
    });
  }

  test('what cannot be delivered in time is counted', async () => {
    const broker = await scriptedBroker((packet) => packet.type !== PacketType.PUBLISH);
    const child = startProgram('tsmqtt-pub', [...broker.at, '-t', 't', '-l', '-q', '1']);
    child.stdin.write('one\ntwo\n');
    await broker.until((received) => received.filter(({ type }) => type === PacketType.PUBLISH).length === 2);
    expect(await child.kill('SIGINT')).toMatchObject({
      code: 130,
      stderr: 'Error: 2 of 2 messages were not delivered.\n',
    });
  });
});

describe('the last byte arrives (P-21)', () => {
  /** A peer that reads nothing until it is told to, and closes nothing by itself. */
  async function reluctant() {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return { at: ['-h', '127.0.0.1', '-p', String(port)], server };
  }

  const payload = Buffer.alloc(3_000_000, 'x');
  for (const closes of [true, false]) {
    test(`${closes ? 'before' : 'also where'} the peer ${closes ? 'closes' : 'never closes'}`, async () => {
      const { at, server } = await reluctant();
      const order: string[] = [];
      let length = 0;
      let tail = Buffer.alloc(0);
      server.on('connection', (socket) => {
        onTestFinished(() => void socket.destroy());
        socket.on('error', () => order.push('reset'));
        socket.once('data', () => {
          socket.write(Uint8Array.of(0x20, 2, 0, 0));
          // A turn without reading: what the program has is not all in the kernel then.
          socket.pause();
          setImmediate(() => socket.resume());
        });
        socket.on('data', (chunk: Buffer) => {
          length += chunk.length;
          tail = Buffer.concat([tail, chunk]).subarray(-2);
        });
        socket.on('end', () => {
          order.push('half-closed');
          if (!closes) return;
          // Whoever waits for the other end is still there after a turn of theirs.
          setImmediate(() => {
            order.push('closing');
            socket.end();
          });
        });
      });
      const child = startProgram('tsmqtt-pub', [...at, '-t', 't', '-s'], { input: payload });
      const { code, stderr } = await child.ended;
      order.push('ended');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(order).toEqual(closes ? ['half-closed', 'closing', 'ended'] : ['half-closed', 'ended']);
      expect(length).toBeGreaterThan(payload.length);
      expect([...tail]).toEqual([PacketType.DISCONNECT << 4, 0]);
    });
  }
});
