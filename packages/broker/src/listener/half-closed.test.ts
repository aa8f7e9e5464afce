import { once } from 'node:events';
import { connect } from 'node:net';
import type { PasswordVerifier, Verdict } from '@tsmqtt/credentials';
import { encodePacket, PacketType } from '@tsmqtt/protocol';
import { afterEach, expect, it } from 'vitest';
import { EngineHost } from '../../test/engine-host.js';
import { bytesOf, connectPacket, disconnectPacket, publishPacket } from '../../test/raw-client.js';

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

/** A client that sends all of it, with or without DISCONNECT, and ends its side at once. */
async function sendsAndEnds(packets: readonly Buffer[]): Promise<void> {
  const socket = connect({ port: host.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(Buffer.concat([bytesOf(connectPacket({ clientId: 'short', username: 'u' }), 4), ...packets]));
  socket.resume();
  await once(socket, 'close');
}
const numbered = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => bytesOf(publishPacket('a', String(index)), 4));
const payloads = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

it.each([
  ['with DISCONNECT', [bytesOf(disconnectPacket(), 4)]],
  ['without', []],
])('handles everything that came before the end, though it takes many turns: %s', async (_what, last) => {
  host = await EngineHost.start();
  const subscriber = await host.client('subscriber');
  await subscriber.subscribe('a');
  await sendsAndEnds([...numbered(5000), ...last]);
  await subscriber.until(() => subscriber.payloads.length >= 5000);
  expect(subscriber.payloads).toEqual(payloads(5000));
});

it('handles what waited for the password of a client that has ended its side', async () => {
  let wasAsked = (): void => {};
  const asked = new Promise<void>((resolve) => {
    wasAsked = resolve;
  });
  let answer: (verdict: Verdict) => void = () => {};
  const verify = (): Promise<Verdict> => {
    wasAsked();
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const verifier = { verify } as unknown as PasswordVerifier;
  host = await EngineHost.start({ allowAnonymous: true }, { verifier });
  const subscriber = await host.client('subscriber');
  await subscriber.subscribe('a');
  const gone = sendsAndEnds(numbered(10));
  await asked;
  // The end has come by the time that others have been served a few times.
  for (let round = 0; round < 5; round++) await subscriber.ping();
  answer('accepted');
  await subscriber.until(() => subscriber.payloads.length >= 10);
  expect(subscriber.payloads).toEqual(payloads(10));
  await gone;
});

it('handles what waited for a slow subscriber (broker B-10)', async () => {
  host = await EngineHost.start();
  const subscriber = await host.client('subscriber');
  await subscriber.subscribe('a');
  subscriber.socket.pause();
  const large = Array.from({ length: 2000 }, (_, index) => `${index} ${'x'.repeat(5000)}`);
  const gone = sendsAndEnds(large.map((payload) => bytesOf(publishPacket('a', payload), 4)));
  while (host.engine.blockedSessions.size === 0) await new Promise((resolve) => setImmediate(resolve));
  subscriber.socket.resume();
  await subscriber.until(() => subscriber.payloads.length >= large.length);
  expect(subscriber.payloads).toEqual(large);
  await gone;
});
