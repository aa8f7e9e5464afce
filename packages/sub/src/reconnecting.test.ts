import { NO_PROPERTIES, PacketType } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { message, names, type Peer } from '../../cli-kit/test/scripted-broker.js';
import { sending, sub } from '../test/run-sub.js';

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
