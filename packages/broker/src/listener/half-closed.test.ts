import { once } from 'node:events';
import { connect } from 'node:net';
import { encodePacket, PacketType } from '@tsmqtt/protocol';
import { afterEach, expect, it } from 'vitest';
import { EngineHost } from '../../test/engine-host.js';

let host: EngineHost;
afterEach(() => host.stop());

it('answers a client that ended its side of the connection right behind its packets', async () => {
  host = await EngineHost.start();
  const socket = connect({ port: host.port, host: '127.0.0.1', allowHalfOpen: true });
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  const hello = encodePacket(
    {
      type: PacketType.CONNECT,
      protocolVersion: 4,
      bridge: false,
      cleanStart: true,
      keepAlive: 0,
      clientId: 'short',
      will: undefined,
      username: undefined,
      password: undefined,
      properties: [],
    },
    4,
  );
  const message = { topic: 't', payload: Buffer.from('m'), qos: 1 as const, retain: false, dup: false };
  const publish = encodePacket({ type: PacketType.PUBLISH, ...message, packetId: 7, properties: [] }, 4);
  socket.end(Buffer.concat([hello, publish]));
  await once(socket, 'end');
  socket.destroy();
  expect(Buffer.concat(received).toString('hex')).toBe('20020000' + '40020007');
});
