import { type Packet, PacketType } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../cli-kit/test/memory-io.js';
import { connack, scriptedBroker } from '../../cli-kit/test/scripted-broker.js';
import { run } from './run.js';

async function pub(args: readonly string[], stdin = '') {
  const io = new MemoryIo({ stdin });
  const code = await run(bytes(args), io);
  return { code, out: io.out.toString(), err: io.err };
}

/** Packets of a run that worked out. */
async function packetsOf(args: readonly string[], stdin?: string): Promise<readonly Packet[]> {
  const broker = await scriptedBroker((packet, peer) => {
    if (packet.type !== PacketType.CONNECT) return true;
    peer.send(connack(0, peer.version === 5 ? [{ name: 'topicAliasMaximum', value: 1 }] : []));
    return false;
  });
  const properties = ['-D', 'publish', 'content-type', 'x'];
  expect(await pub([...broker.at, '-t', 'a', ...properties, ...args], stdin)).toEqual({
    code: 0,
    out: '',
    err: '',
  });
  return broker.received;
}

describe('properties go out as given (cli §7)', () => {
  test('in CONNECT: the user’s, then the expiry, then Receive Maximum', async () => {
    const [connect] = await packetsOf([
      ...['-D', 'connect', 'topic-alias-maximum', '3', '-D', 'connect', 'user-property', 'b', '2'],
      ...['-x', '10', '-D', 'connect', 'user-property', 'a', '1', '-n'],
    ]);
    expect(connect).toMatchObject({
      properties: [
        { name: 'topicAliasMaximum', value: 3 },
        { name: 'userProperty', value: ['b', '2'] },
        { name: 'userProperty', value: ['a', '1'] },
        { name: 'sessionExpiryInterval', value: 10 },
        { name: 'receiveMaximum', value: 20 },
      ],
    });
  });

  test('the user’s Receive Maximum is the only one', async () => {
    const [connect] = await packetsOf(['-D', 'connect', 'receive-maximum', '3', '-n']);
    expect(connect).toMatchObject({ properties: [{ name: 'receiveMaximum', value: 3 }] });
  });

  test('in the will, PUBLISH and DISCONNECT', async () => {
    const received = await packetsOf([
      ...['--will-topic', 'w', '-D', 'will', 'will-delay-interval', '5', '-D', 'will', 'content-type', 'c'],
      ...['-D', 'publish', 'user-property', 'n', 'v', '-D', 'disconnect', 'reason-string', 'bye', '-m', 'x'],
    ]);
    expect(received).toMatchObject([
      {
        will: {
          properties: [
            { name: 'willDelayInterval', value: 5 },
            { name: 'contentType', value: 'c' },
          ],
        },
      },
      {
        properties: [
          { name: 'contentType', value: 'x' },
          { name: 'userProperty', value: ['n', 'v'] },
        ],
      },
      { properties: [{ name: 'reasonString', value: 'bye' }] },
    ]);
  });

  test.each([
    [['-m', 'x', '--repeat', '3'], ''],
    [['-l', '-q', '1'], '1\n2\n3\n'],
  ])('topic alias: the topic goes out once (cli §11.6), %j', async (args, stdin) => {
    const received = await packetsOf(['-D', 'publish', 'topic-alias', '1', ...args], stdin);
    const published = received.filter((packet) => packet.type === PacketType.PUBLISH);
    expect(published.map(({ topic }) => topic)).toEqual(['a', '', '']);
    for (const { properties } of published) {
      expect(properties).toMatchObject([{ name: 'contentType' }, { name: 'topicAlias', value: 1 }]);
    }
  });

  test('those of packets that pub does not send are ignored', async () => {
    await packetsOf([
      ...['-D', 'subscribe', 'subscription-identifier', '0', '-D', 'will', 'reason-string', 'x'],
      ...['-D', 'unsubscribe', 'user-property', 'a', 'b', '-n'],
    ]);
  });
});

describe('what cannot be sent is refused up front (cli §7, D-15)', () => {
  const PROTOCOL = 'A network protocol error occurred when communicating with the broker';
  const DUPLICATE = 'Duplicate property in property list';
  const NOT_SUPPORTED = 'This feature is not supported';
  const twice = (place: string, name: string, value: string) => {
    return [...['-D', place, name, value], ...['-D', place, name, value]];
  };
  test.each([
    [['-D', 'connect', 'receive-maximum', '0'], `Unable to connect (${PROTOCOL}).\n`],
    [['-D', 'connect', 'request-problem-information', '2'], `Unable to connect (${PROTOCOL}).\n`],
    [['-D', 'connect', 'maximum-packet-size', '0'], `Unable to connect (${PROTOCOL}).\n`],
    [twice('connect', 'topic-alias-maximum', '1'), `Unable to connect (${DUPLICATE}).\n`],
    [['-x', '5', '-D', 'connect', 'session-expiry-interval', '5'], `Unable to connect (${DUPLICATE}).\n`],
    [
      ['-c', '-i', 'x', '-D', 'connect', 'session-expiry-interval', '5'],
      `Unable to connect (${DUPLICATE}).\n`,
    ],
    [['-D', 'connect', 'user-property', 'a', 'b', '-V', '311'], `Unable to connect (${NOT_SUPPORTED}).\n`],
    [[...twice('will', 'content-type', 'x'), '--will-topic', 'w'], 'Error: Problem setting will.\n'],
    [['-D', 'will', 'reason-string', 'x', '--will-topic', 'w'], 'Error: Problem setting will.\n'],
    [['-D', 'will', 'response-topic', 'x/#', '--will-topic', 'w'], 'Error: Problem setting will.\n'],
    [['-D', 'will', 'content-type', 'x', '--will-topic', 'w', '-V', '311'], 'Error: Problem setting will.\n'],
    [['-D', 'publish', 'topic-alias', '0'], `Error: ${PROTOCOL}\n`],
    [['-D', 'publish', 'payload-format-indicator', '2'], `Error: ${PROTOCOL}\n`],
    [['-D', 'publish', 'response-topic', '+'], `Error: ${PROTOCOL}\n`],
    [['-D', 'publish', 'response-topic', ''], `Error: ${PROTOCOL}\n`],
    [twice('publish', 'content-type', 'x'), `Error: ${DUPLICATE}\n`],
    [['-D', 'publish', 'content-type', 'x', '-V', '31'], `Error: ${NOT_SUPPORTED}\n`],
    [twice('disconnect', 'reason-string', 'x'), `Error: ${DUPLICATE}\n`],
    [['-D', 'disconnect', 'reason-string', 'x', '-V', '311'], `Error: ${NOT_SUPPORTED}\n`],
  ])('%j', async (args, err) => {
    const broker = await scriptedBroker();
    const plain = [...broker.at, '-t', 'a', '-n', ...args];
    expect(await pub(plain)).toEqual({ code: 1, out: '', err });
    expect(await pub([...plain, '--quiet'])).toEqual({ code: 1, out: '', err: '' });
    expect(broker.received).toEqual([]);
  });
});
