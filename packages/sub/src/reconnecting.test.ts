import { NO_PROPERTIES, PacketType } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { message, names, type Peer, scriptedBroker } from '../../cli-kit/test/scripted-broker.js';
import { sending, start, sub } from '../test/run-sub.js';

describe('what sub connects again after (cli §12.4)', () => {
  test.each<[string, (peer: Peer) => void]>([
    [
      'DISCONNECT, session taken over',
      (peer) => peer.send({ type: PacketType.DISCONNECT, reasonCode: 0x8e, properties: NO_PROPERTIES }),
    ],
    [
      'DISCONNECT without an error',
      (peer) => peer.send({ type: PacketType.DISCONNECT, reasonCode: 0, properties: NO_PROPERTIES }),
    ],
    ['a malformed packet', (peer) => peer.socket.write(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0xff))],
  ])('%s', async (_name, upset) => {
    const { code, out, received } = await sub(
      (packet, peer) => {
        if (packet.type === PacketType.SUBSCRIBE && peer.number === 1) return void upset(peer);
        return sending(message('a', 'back'))(packet, peer);
      },
      ...['-V', '5', '-t', 'a', '-C', '1', '--quiet'],
    );
    expect([code, out]).toEqual([0, 'back\n']);
    expect(names(received).filter((name) => name === 'SUBSCRIBE').length).toBe(2);
  });
});

test('a broker that ends every connection at SUBSCRIBE is come back to less and less often (P-8)', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const broker = await scriptedBroker((packet, peer) =>
    packet.type === PacketType.SUBSCRIBE ? void peer.socket.destroy() : true,
  );
  const { io, ended } = start([...broker.at, '-t', 'a']);
  for (let loss = 1; loss <= 7; loss++) {
    await io.until(() => io.err.split(' was lost (').length - 1 === loss);
    const seen = broker.received.length;
    let waited = 0;
    // In steps, for the timers that belong to nobody's waiting are let pass, too.
    while (broker.received.length === seen && waited < 60_000) {
      await vi.advanceTimersByTimeAsync(250);
      waited += 250;
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    }
    // 1 s, then up to twice as long each time, at most 30 s.
    const longest = Math.min(30_000, 1000 * 2 ** (loss - 1));
    expect(waited).toBeGreaterThanOrEqual(longest * 0.75);
    expect(waited).toBeLessThanOrEqual(longest + 500);
  }
  io.signal('SIGTERM');
  expect(await ended).toBe(0);
});
