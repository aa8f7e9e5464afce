import { Writable } from 'node:stream';
import { PacketType } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { message, names, scriptedBroker, suback } from '../../cli-kit/test/scripted-broker.js';
import { numbered, sending, start, sub } from '../test/run-sub.js';

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
