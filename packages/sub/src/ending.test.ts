import { Writable } from 'node:stream';
import { PacketType } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { connack, message, names, scriptedBroker } from '../../cli-kit/test/scripted-broker.js';
import { numbered, sending, start, sub } from '../test/run-sub.js';

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

describe('a reader of stdout that reads nothing, where the run is interrupted (cli §12.8)', () => {
  const UNREAD = 'Warning: Standard output is not read: the last messages were not printed.\n';

  /** A subscriber that has handed a message to stdout, which takes it only with `take()`. */
  async function blocked(...args: string[]) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const broker = await scriptedBroker(sending(...numbered(1, { qos: 1 })));
    let take = (): void => {};
    let begun = (): void => {};
    const writing = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const handle = { writeQueueSize: 3 };
    const stdout = Object.assign(
      new Writable({
        write(_chunk, _encoding, done) {
          take = done;
          begun();
        },
      }),
      { _handle: handle },
    );
    const { io, ended } = start([...broker.at, '-V', '5', '-t', 'a', '-q', '1', ...args], { stdout });
    await writing;
    let over = false;
    void ended.then(() => {
      over = true;
    });
    return { broker, io, ended, handle, take: () => take(), over: () => over };
  }

  test('-W: is waited for 5 s more, then 27; nothing is acknowledged', async () => {
    const { broker, io, ended, over } = await blocked('-W', '3');
    await vi.advanceTimersByTimeAsync(7999);
    expect([over(), io.err]).toEqual([false, '']);
    await vi.advanceTimersByTimeAsync(1);
    expect([await ended, io.err, io.abandoned]).toEqual([27, `${UNREAD}Timed out\n`, true]);
    expect(names(broker.received)).toEqual(['CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
  });

  test('a signal: the same, exit 0', async () => {
    const { io, ended } = await blocked();
    io.signal('SIGTERM');
    await vi.advanceTimersByTimeAsync(5000);
    expect([await ended, io.err, io.abandoned]).toEqual([0, UNREAD, true]);
  });

  test('one that takes a part of a write every few seconds gets everything', async () => {
    const { io, ended, handle, take } = await blocked('-W', '3');
    await vi.advanceTimersByTimeAsync(3000);
    for (const left of [2, 1]) {
      await vi.advanceTimersByTimeAsync(4000);
      handle.writeQueueSize = left;
      await vi.advanceTimersByTimeAsync(1000);
    }
    take();
    expect([await ended, io.err, io.abandoned]).toEqual([27, 'Timed out\n', false]);
  });

  test('one that reads in time gets everything, and it is acknowledged', async () => {
    const { broker, io, ended, take } = await blocked('-W', '3');
    await vi.advanceTimersByTimeAsync(7000);
    take();
    expect([await ended, io.err, io.abandoned]).toEqual([27, 'Timed out\n', false]);
    expect(names(broker.received)).toEqual(['CONNECT', 'SUBSCRIBE', 'PUBACK', 'DISCONNECT']);
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

  test('before CONNACK it is not the last one either (cli §12.4)', async () => {
    const { code, out, err, received } = await sub(
      (packet, peer) => {
        if (peer.number === 1) return void peer.socket.destroy();
        return sending(message('a', 'at last'))(packet, peer);
      },
      ...['-t', 'a', '-C', '1'],
    );
    expect([code, out]).toEqual([0, 'at last\n']);
    expect(err).toMatch(
      /^Warning: Connection to 127.0.0.1:\d+ was lost \(.+\); reconnecting.\nWarning: Connection to 127.0.0.1:\d+ is back.\n$/,
    );
    expect(names(received)).toEqual(['CONNECT', 'CONNECT', 'SUBSCRIBE', 'DISCONNECT']);
  });

  test('before CONNACK it does not hold up a signal: exit 255, silent (cli §12.8)', async () => {
    const broker = await scriptedBroker((_packet, peer) => void peer.socket.destroy());
    const { io, ended } = start([...broker.at, '-t', 'a']);
    await io.until(({ err }) => err.includes('was lost'));
    io.signal('SIGTERM');
    expect(await ended).toBe(255);
    expect(names(broker.received)).toEqual(['CONNECT']);
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
