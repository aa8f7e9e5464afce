import { Writable } from 'node:stream';
import { type Packet, PacketType, type Publish } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bytes, MemoryIo, type MemoryIoOptions } from '../../cli-kit/test/memory-io.js';
import {
  connack,
  message,
  names,
  type Peer,
  scriptedBroker,
  suback,
} from '../../cli-kit/test/scripted-broker.js';
import { run } from './run.js';

function start(args: readonly (string | Uint8Array)[], options: MemoryIoOptions = {}) {
  const io = new MemoryIo(options);
  return { io, ended: run(bytes(args), io) };
}

/** Answers SUBSCRIBE and sends these messages right behind. */
function sending(...messages: readonly Publish[]) {
  return (packet: Packet, peer: Peer): unknown => {
    if (packet.type !== PacketType.SUBSCRIBE) return true;
    peer.send(
      suback(
        packet.packetId,
        packet.subscriptions.map(({ qos }) => qos),
      ),
    );
    for (const one of messages) peer.send(one);
    return false;
  };
}

async function sub(answer: (packet: Packet, peer: Peer) => unknown, ...args: (string | Uint8Array)[]) {
  const broker = await scriptedBroker(answer);
  const { io, ended } = start([...broker.at, ...args]);
  const code = await ended;
  return { code, out: io.out.toString('latin1'), err: io.err, received: broker.received };
}

const numbered = (count: number, changes: Partial<Publish> = {}) =>
  Array.from({ length: count }, (_, index) =>
    message('a', String(index + 1), { ...changes, packetId: changes.qos === undefined ? 0 : index + 1 }),
  );

describe('printing (cli §14.1)', () => {
  const messages = [message('a/b', Buffer.from('x\xff\0y', 'latin1')), message('é', ''), message('c', 'z')];
  test.each([
    [[], 'x\xff\0y\nz\n'],
    [['-v'], 'a/b x\xff\0y\n\xc3\xa9 (null)\nc z\n'],
    [['-N'], 'x\xff\0yz'],
    [['-v', '-N'], 'a/b x\xff\0yc z'],
  ])('%j', async (args, out) => {
    const outcome = await sub(sending(...messages), '-t', '#', '-C', '3', ...args);
    expect(outcome).toMatchObject({ code: 0, out, err: '' });
  });
});

describe('-C (cli §12.3, P-22)', () => {
  test('prints so many and says goodbye', async () => {
    const { code, out, received } = await sub(sending(...numbered(5)), '-t', 'a', '-C', '3');
    expect([code, out]).toEqual([0, '1\n2\n3\n']);
    expect(names(received)).toEqual(['CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
  });

  test('acknowledges what was printed and nothing behind it, QoS 1', async () => {
    const { out, received } = await sub(sending(...numbered(5, { qos: 1 })), '-t', 'a', '-q', '1', '-C', '3');
    expect(out).toBe('1\n2\n3\n');
    const acknowledged = received.filter(({ type }) => type === PacketType.PUBACK);
    expect(acknowledged).toMatchObject([1, 2, 3].map((packetId) => ({ packetId })));
  });

  test('receives what was printed and nothing behind it, QoS 2', async () => {
    const { out, received } = await sub(
      (packet, peer) =>
        packet.type === PacketType.SUBSCRIBE ? sending(...numbered(5, { qos: 2 }))(packet, peer) : true,
      ...['-t', 'a', '-q', '2', '-C', '3'],
    );
    expect(out).toBe('1\n2\n3\n');
    const acknowledged = received.filter(({ type }) => type === PacketType.PUBREC);
    expect(acknowledged).toMatchObject([1, 2, 3].map((packetId) => ({ packetId })));
  });

  test('announces no more than it wants (cli §7)', async () => {
    const { received } = await sub(sending(...numbered(3)), '-t', 'a', '-C', '3', '-V', '5');
    expect(received[0]).toMatchObject({ properties: [{ name: 'receiveMaximum', value: 3 }] });
  });

  test('does not count what -T leaves out, counts empty ones', async () => {
    const messages = [message('no', '1'), message('a', ''), message('no', '2'), message('a', '3')];
    const { code, out } = await sub(sending(...messages), '-t', '#', '-T', 'no', '-C', '2');
    expect([code, out]).toEqual([0, '3\n']);
  });
});

describe('stdout (cli §12.9, P-22)', () => {
  test('holds back acknowledgements until it took the messages', async () => {
    const broker = await scriptedBroker(sending(...numbered(2, { qos: 1 })));
    let take = () => {};
    const written = new Promise<Buffer>((resolve) => {
      const stdout = new Writable({
        write(chunk: Buffer, _encoding, done) {
          take = done;
          resolve(chunk);
        },
      });
      const { io, ended } = start([...broker.at, '-t', 'a', '-q', '1', '-C', '2'], { stdout });
      onTestFinished(async () => {
        expect(await ended).toBe(0);
        expect(io.err).toBe('');
      });
    });
    expect(String(await written)).toBe('1\n2\n');
    // A round trip of the event loop, in which an acknowledgement would have come.
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(names(broker.received)).toEqual(['CONNECT', 'SUBSCRIBE']);
    take();
    await broker.until((received) => received.at(-1)?.type === PacketType.DISCONNECT);
    expect(names(broker.received)).toEqual(['CONNECT', 'SUBSCRIBE', 'PUBACK', 'PUBACK', 'DISCONNECT']);
  });

  test('that is closed ends it, exit 0, and what was not printed stays unacknowledged', async () => {
    const broker = await scriptedBroker(sending(...numbered(2, { qos: 1 })));
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    });
    const { io, ended } = start([...broker.at, '-t', 'a', '-q', '1'], { stdout });
    expect([await ended, io.err]).toEqual([0, '']);
    expect(names(broker.received)).toEqual(['CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
  });

  test('that does not keep up stops the reading', async () => {
    const payload = 'x'.repeat(10_000);
    let sent = 0;
    const broker = await scriptedBroker((packet, peer) => {
      if (packet.type !== PacketType.SUBSCRIBE) return true;
      peer.send(suback(packet.packetId, [0]));
      const more = (): void => {
        if (peer.socket.destroyed) return;
        while (sent < 5000) {
          sent++;
          peer.send(message('a', payload));
          if (peer.socket.writableNeedDrain) return void peer.socket.once('drain', more);
        }
      };
      more();
      return false;
    });
    const queue: (() => void)[] = [];
    let open = false;
    let length = 0;
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        length += chunk.length;
        if (open) done();
        else queue.push(done);
      },
    });
    const { ended } = start([...broker.at, '-t', 'a', '-C', '5000'], { stdout });
    await broker.until((received) => received.some(({ type }) => type === PacketType.SUBSCRIBE));
    for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate);
    expect(sent).toBeLessThan(2500);
    open = true;
    for (const done of queue) done();
    expect(await ended).toBe(0);
    expect(length).toBe(5000 * (payload.length + 1));
  });
});

describe('subscribing (cli §12.1, §12.2, P-2)', () => {
  test('one SUBSCRIBE with every filter in order, then one UNSUBSCRIBE per -U', async () => {
    const filters = ['-t', 'b', '-t', 'a/#', '-t', 'b', '-U', 'x', '-U', 'y'];
    const { received } = await sub(sending(message('b', '1')), ...filters, '-q', '1', '-C', '1');
    const [, subscribe, ...unsubscribes] = received.filter(({ type }) => type !== PacketType.DISCONNECT);
    expect(subscribe).toMatchObject({
      subscriptions: ['b', 'a/#', 'b'].map((filter) => ({ filter, qos: 1 })),
    });
    expect(unsubscribes).toMatchObject([{ filters: ['x'] }, { filters: ['y'] }]);
  });

  const answering = (...reasonCodes: number[]) => {
    return (packet: Packet, peer: Peer): unknown =>
      packet.type !== PacketType.SUBSCRIBE || void peer.send(suback(packet.packetId, reasonCodes));
  };

  test.each([
    ['311', [128, 128], 128],
    ['5', [0x87, 0x97], 0x87],
  ])('all refused, -V %s', async (version, reasonCodes, code) => {
    const outcome = await sub(answering(...reasonCodes), '-V', version, '-t', 'a', '-t', 'b');
    expect(outcome).toMatchObject({ code, out: '', err: 'All subscription requests were denied.\n' });
    expect(names(outcome.received).at(-1)).toBe('DISCONNECT');
  });

  test('some refused: warnings in the words of the command line', async () => {
    const filters = ['-t', 'a', '-t', 'b/#/c', '-t', 'd'];
    const outcome = await sub(answering(0, 0x87, 0x80), '-V', '5', ...filters, '-E');
    expect(outcome).toMatchObject({
      code: 0,
      err:
        "Warning: Subscription to 'b/#/c' was refused: Not authorized.\n" +
        "Warning: Subscription to 'd' was refused: Unspecified error.\n",
    });
  });

  test('-E ends with the SUBACK', async () => {
    expect(await sub(answering(1), '-t', 'a', '-E')).toMatchObject({ code: 0, out: '', err: '' });
  });

  test('-d traces, in order with the messages (cli §16)', async () => {
    const { out } = await sub(sending(message('a', 'hi')), '-d', '-i', 's', '-t', 'a', '-q', '2', '-C', '1');
    expect(out).toBe(
      'Client s sending CONNECT\nClient s received CONNACK (0)\n' +
        'Client s sending SUBSCRIBE (Mid: 1, Topic: a, QoS: 2, Options: 0x00)\n' +
        'Client s received SUBACK\nSubscribed (mid: 1): 2\n' +
        "Client s received PUBLISH (d0, q0, r0, m0, 'a', ... (2 bytes))\nhi\nClient s sending DISCONNECT\n",
    );
  });

  test('--quiet hides the Subscribed line, and only that', async () => {
    const { out } = await sub(sending(message('a', 'hi')), '-d', '--quiet', '-t', 'a', '-C', '1');
    expect(out).toContain('received SUBACK\nClient');
  });
});

describe('CONNACK refusals (cli §17.2)', () => {
  test.each([
    ['31', 5, 'Connection error: Connection Refused: not authorised\n'],
    ['311', 4, 'Connection error: Connection Refused: bad user name or password\n'],
    ['5', 134, 'Connection error: Bad User Name or Password\n'],
    [
      '5',
      132,
      'Connection error: Unsupported Protocol Version. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.\n',
    ],
  ])('-V %s, %i', async (version, code, err) => {
    const refuse = (_packet: Packet, peer: Peer) => void peer.send(connack(code));
    expect(await sub(refuse, '-V', version, '-t', 'a')).toMatchObject({ code, out: '', err });
  });
});

describe('the end (cli §12.8)', () => {
  test.each([
    ['311', 0],
    ['5', 4],
  ])('a signal after CONNACK, -V %s: DISCONNECT with reason %i, exit 0', async (version, reasonCode) => {
    const broker = await scriptedBroker();
    const { io, ended } = start([...broker.at, '-V', version, '-t', 'a']);
    await broker.until((received) => received.some(({ type }) => type === PacketType.SUBSCRIBE));
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(io.signal('SIGINT')).toBe(true);
    expect([await ended, io.err]).toEqual([0, '']);
    expect(broker.received.at(-1)).toMatchObject({ type: PacketType.DISCONNECT, reasonCode });
    expect(io.signal('SIGINT')).toBe(false);
  });

  test('a signal before CONNACK: exit 255, silent', async () => {
    const broker = await scriptedBroker(() => false);
    const { io, ended } = start([...broker.at, '-t', 'a']);
    await broker.until((received) => received.length === 1);
    io.signal('SIGTERM');
    expect([await ended, io.err]).toEqual([255, '']);
  });

  test('-W after CONNACK: Timed out, exit 27', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const broker = await scriptedBroker();
    const { io, ended } = start([...broker.at, '-V', '5', '-t', 'a', '-C', '1', '-W', '3']);
    await broker.until((received) => received.some(({ type }) => type === PacketType.SUBSCRIBE));
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(3000);
    expect([await ended, io.err]).toEqual([27, 'Timed out\n']);
    expect(broker.received.at(-1)).toMatchObject({ type: PacketType.DISCONNECT, reasonCode: 4 });
  });

  test('-W before CONNACK: exit 255, silent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const broker = await scriptedBroker(() => false);
    const { io, ended } = start([...broker.at, '-t', 'a', '-W', '1']);
    await broker.until((received) => received.length === 1);
    await vi.advanceTimersByTimeAsync(1000);
    expect([await ended, io.err]).toEqual([255, '']);
  });

  test('--retained-only ends at the first that is not', async () => {
    const messages = [
      message('a', '1', { retain: true }),
      message('a', '2'),
      message('a', '3', { retain: true }),
    ];
    expect(await sub(sending(...messages), '-t', 'a', '--retained-only')).toMatchObject({
      code: 0,
      out: '1\n',
    });
  });
});

describe('a connection that is lost (P-8)', () => {
  test('is made anew, subscribed anew, and both are said', async () => {
    const { code, out, err, received } = await sub(
      (packet, peer) => {
        if (packet.type === PacketType.SUBSCRIBE && peer.number === 1) return void peer.socket.destroy();
        return sending(message('a', 'back'))(packet, peer);
      },
      ...['-t', 'a', '-C', '1'],
    );
    expect([code, out]).toEqual([0, 'back\n']);
    expect(err).toMatch(
      /^Warning: Connection to 127.0.0.1:\d+ was lost \(.+\); reconnecting.\nWarning: Connection to 127.0.0.1:\d+ is back.\n$/,
    );
    expect(names(received)).toEqual(['CONNECT', 'SUBSCRIBE', 'CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
  });

  test('does not hold up a signal', async () => {
    const broker = await scriptedBroker((packet, peer) => {
      return packet.type !== PacketType.SUBSCRIBE || void peer.socket.destroy();
    });
    const { io, ended } = start([...broker.at, '-t', 'a']);
    await io.until(({ err }) => err.includes('was lost'));
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
    expect(names(broker.received)).toEqual(['CONNECT', 'SUBSCRIBE']);
  });

  test('-C counts on', async () => {
    const { out } = await sub(
      (packet, peer) => {
        const passed = sending(message('a', `from ${peer.number}`))(packet, peer);
        if (packet.type === PacketType.SUBSCRIBE && peer.number === 1) peer.socket.end();
        return passed;
      },
      ...['-t', 'a', '-C', '2', '--quiet'],
    );
    expect(out).toBe('from 1\nfrom 2\n');
  });

  test('a refusal when coming back ends it with its code', async () => {
    const { code, err } = await sub(
      (packet, peer) => {
        if (peer.number > 1) return void peer.send(connack(3));
        return packet.type !== PacketType.SUBSCRIBE || void peer.socket.destroy();
      },
      ...['-t', 'a'],
    );
    expect(code).toBe(3);
    expect(err).toMatch(/Connection error: Connection Refused: broker unavailable\n$/);
  });
});
