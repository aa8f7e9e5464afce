import { type Packet, PacketType, type Properties } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import {
  acknowledgement,
  connack,
  message,
  type Peer,
  scriptedBroker,
  suback,
} from '../packages/cli-kit/test/scripted-broker.js';
import { acceptAndFallSilent, fakePeer } from './support/fake-peer.js';
import { runProgram, startProgram } from './support/programs.js';

/**
 * Exit codes of the built programs, a row for each way to each code (cli §17.1). Code 14 is not there: every TLS
 * handshake that fails is exit 1 (docs/decisions/0008-readings.md).
 */
type Tool = 'pub' | 'sub' | 'rr';

const BASE: Readonly<Record<Tool, readonly string[]>> = {
  pub: ['-t', 'a', '-m', 'x', '-q', '1'],
  sub: ['-t', 'a', '-q', '1'],
  rr: ['-t', 'a', '-m', 'x', '-e', 'b'],
};
const TOOLS = ['pub', 'sub', 'rr'] as const;

/** Starts a server and answers the arguments that lead to it. */
type Place = () => Promise<readonly string[]>;
type Row = readonly [code: number, tools: readonly Tool[], how: string, place: Place, ...args: string[]];

const nowhere: Place = async () => ['-h', '127.0.0.1', '-p', '1'];

/** A broker that answers as told; `true` leaves the packet to its manners. */
const broker =
  (answer: (packet: Packet, peer: Peer) => unknown = () => true): Place =>
  async () =>
    (await scriptedBroker(answer)).at;

const atConnect = (does: (peer: Peer) => unknown): Place =>
  broker((packet, peer) => packet.type !== PacketType.CONNECT || void does(peer));

/** Each read from the client is answered with the next of these bytes; behind the last the connection ends. */
const answering = (answers: readonly (string | readonly number[])[]): Promise<number> =>
  fakePeer((socket) => {
    const left = [...answers];
    socket.on('data', () => {
      const next = left.shift();
      if (next === undefined) socket.end();
      else socket.write(typeof next === 'string' ? next : Uint8Array.from(next));
    });
  });

const raw =
  (...answers: readonly (string | readonly number[])[]): Place =>
  async () => ['-h', '127.0.0.1', '-p', String(await answering(answers))];

const disconnecting = raw([0x20, 3, 0, 0, 0, 0xe0, 1, 139]);

const refusing = (code: number, properties?: Properties): Place =>
  atConnect((peer) => peer.send(connack(code, properties)));

const proxy =
  (user: string, ...answers: readonly (readonly number[])[]): Place =>
  async () => ['-h', 'host.invalid', '--proxy', `socks5h://${user}127.0.0.1:${await answering(answers)}`];
const reply = (code: number) => proxy('', [5, 0], [5, code, 0, 1, 0, 0, 0, 0, 0, 0]);

const maximumQos: Properties = [{ name: 'maximumQoS', value: 0 }];
const smallPackets: Properties = [{ name: 'maximumPacketSize', value: 10 }];

const granting = (...codes: readonly number[]): Place =>
  broker((packet, peer) => {
    return packet.type !== PacketType.SUBSCRIBE || void peer.send(suback(packet.packetId, codes));
  });

const refusingMessages = (code: number): Place =>
  broker((packet, peer) => {
    if (packet.type !== PacketType.PUBLISH) return true;
    peer.send(acknowledgement(PacketType.PUBACK, packet.packetId, code));
    return undefined;
  });

const answeringRequests = broker((packet, peer) => {
  if (packet.type === PacketType.PUBLISH) peer.send(message('b', 'answer'));
  return true;
});

/** Takes one connection and nothing on it. */
const lastingNoLonger = broker((packet, peer) => {
  return (peer.number === 1 && packet.type === PacketType.CONNECT) || void peer.socket.destroy();
});

/** Neither answers nor hangs up. */
const silent: Place = async () => [
  '-h',
  '127.0.0.1',
  '-p',
  String(await fakePeer((socket) => socket.resume())),
];

// biome-ignore format: one row a line
const ROWS: readonly Row[] = [
  [0, ['pub'], 'published', broker()],
  [0, ['pub'], 'reason 16: nobody subscribed', refusingMessages(16), '-V', '5'],
  [0, ['sub'], '-E', broker(), '-E'],
  [0, ['rr'], 'answered', answeringRequests],
  [0, TOOLS, '--help', nowhere, '--help'],
  [0, TOOLS, '--version', nowhere, '--version'],
  [1, TOOLS, 'an option that does not exist', nowhere, '--nonsense'],
  [1, TOOLS, 'an options file that holds one', nowhere, '-o', new URL(import.meta.url).pathname],
  [1, TOOLS, 'a CA file that is not there', nowhere, '--cafile', '/nonexistent'],
  [1, TOOLS, 'nobody listens', nowhere],
  [1, TOOLS, 'a name that does not resolve', nowhere, '-h', 'host.invalid'],
  [1, TOOLS, 'TLS where there is none', raw('HTTP/1.1 400 Bad Request\r\n\r\n'), '--tls-use-os-certs'],
  ...[1, 2, 3, 4, 5].map((code): Row => [code, TOOLS, `CONNACK ${code} (MQTT 3)`, refusing(code), '-V', '311']),
  ...[128, 162].map((code): Row => [code, TOOLS, `CONNACK ${code} (MQTT 5)`, refusing(code), '-V', '5']),
  [132, TOOLS, 'CONNACK 1 of a broker without MQTT 5', raw([0x20, 2, 0, 1]), '-V', '5'],
  [2, TOOLS, 'Session Present with Clean Start', raw([0x20, 2, 1, 0], []), '-V', '311'],
  [3, TOOLS, 'a reply of the proxy that RFC 1928 does not have', reply(9)],
  [4, ['pub', 'rr'], 'the proxy does not reach it', reply(3)],
  [4, ['pub'], 'DISCONNECT 139', disconnecting, '-V', '5'],
  [7, ['pub', 'rr'], 'DISCONNECT 0', raw([0x20, 3, 0, 0, 0, 0xe0, 0]), '-V', '5'],
  [7, ['rr'], 'DISCONNECT 139', disconnecting, '-V', '5'],
  [7, ['pub', 'rr'], 'closed before CONNACK', raw()],
  [7, ['pub', 'rr'], 'closed behind CONNACK', raw([0x20, 2, 0, 0]), '-V', '311'],
  [7, ['pub', 'rr'], 'closed before an answer to the WebSocket request', raw(), '--ws'],
  [7, ['pub'], 'QoS beyond the broker’s', refusing(0, maximumQos), '-V', '5'],
  [7, ['pub'], 'larger than the broker takes', refusing(0, smallPackets), '-V', '5', '-t', 'x'.repeat(99)],
  [11, TOOLS, 'the proxy takes none of the methods', proxy('', [5, 0xff])],
  [11, TOOLS, 'the proxy’s rules forbid it', reply(2)],
  [11, TOOLS, 'AUTH that was not asked for', raw([0xf0, 2, 24, 0], []), '-V', '5'],
  [13, TOOLS, 'no WebSocket there', raw('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'), '--ws'],
  [13, TOOLS, 'no HTTP there', raw([0x20, 2, 0, 0]), '--ws'],
  [16, TOOLS, 'the proxy failed', reply(1)],
  [16, TOOLS, 'user and password are not the proxy’s', proxy('u:p@', [5, 2], [1, 1])],
  [21, TOOLS, 'bytes that are no MQTT, before CONNACK', raw([0xff, 0xff, 0xff, 0xff, 0xff]), '-V', '311'],
  [21, ['pub', 'rr'], 'bytes that are no MQTT, behind CONNACK', raw([0x20, 2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff]), '-V', '311'],
  [24, ['rr'], 'QoS beyond the broker’s', refusing(0, maximumQos), '-q', '1'],
  [27, ['sub', 'rr'], '-W', raw([0x20, 2, 0, 0], [], [], []), '-V', '311', '-W', '1'],
  [27, ['rr'], '-W before CONNACK', silent, '-W', '1'],
  [255, ['sub'], '-W before CONNACK', silent, '-W', '1'],
  [128, ['sub'], 'all filters refused (MQTT 3)', granting(128), '-V', '311'],
  [135, ['sub', 'rr'], 'all filters refused (MQTT 5)', granting(135), '-V', '5'],
  [151, ['pub'], 'PUBACK 151', refusingMessages(151), '-V', '5'],
];

const JOBS = ROWS.flatMap(([code, tools, how, place, ...args]) =>
  tools.map((tool) => ({ code, tool, how, place, args })),
);

describe('exit codes (cli §17.1)', () => {
  test.each(JOBS)('$code: $tool, $how', async ({ code, tool, place, args }) => {
    const where = await place();
    const { code: seen, stderr } = await runProgram(`tsmqtt-${tool}`, [...where, ...BASE[tool], ...args]);
    expect({ code: seen, stderr }).toEqual({ code, stderr: expect.any(String) as string });
    // Whoever reads only stderr sees that it failed; -W and signals before CONNACK are silent (cli §12.8).
    if (code !== 255) expect(stderr !== '').toBe(code !== 0);
  });

  test.each([
    [24, 'QoS beyond the broker’s', refusing(0, maximumQos), 'x\n', ['-q', '1']],
    [25, 'larger than the broker takes', refusing(0, smallPackets), `${'x'.repeat(99)}\n`, []],
    [151, 'PUBACK 151', refusingMessages(151), 'x\n', ['-q', '1']],
    [135, 'CONNACK 135', refusing(135), 'x\n', []],
    [7, 'given up (P-24)', lastingNoLonger, 'x\n', ['-q', '1', '--give-up', '0']],
  ] as const)('%i: pub -l, %s', async (code, _how, place, input, args) => {
    const all = [...(await place()), '-V', '5', '-t', 'a', '-l', ...args];
    expect(await runProgram('tsmqtt-pub', all, { input })).toMatchObject({
      code,
      stderr: expect.stringMatching(/^(Error|Warning|Connection error): /) as string,
    });
  });

  test.each([
    [0, 'SIGTERM', 'sub', 'behind CONNACK', raw([0x20, 2, 0, 0], [0x90, 3, 0, 1, 0])],
    [0, 'SIGINT', 'sub', 'behind CONNACK', raw([0x20, 2, 0, 0], [0x90, 3, 0, 1, 0])],
    [255, 'SIGTERM', 'sub', 'before CONNACK', silent],
    [null, 'SIGINT', 'pub', 'behind CONNACK', raw([0x20, 2, 0, 0], [])],
    [null, 'SIGTERM', 'rr', 'before CONNACK', silent],
  ] as const)('%s: %s to %s %s', async (code, signal, tool, how, place) => {
    const child = startProgram(`tsmqtt-${tool}`, [...(await place()), ...BASE[tool], '-d']);
    await child.line(how === 'before CONNACK' ? /sending CONNECT$/ : /sending (PUBLISH|SUBSCRIBE) /);
    // A shell has 128 and its number for one that a signal killed.
    expect(await child.kill(signal)).toMatchObject({
      code,
      signal: code === null ? signal : null,
      stderr: '',
    });
  });

  test.each<[how: string, place: Place, ...args: string[]]>([
    ['closes before CONNACK', raw()],
    ['closes behind CONNACK', raw([0x20, 2, 0, 0])],
    ['sends bytes that are no MQTT behind CONNACK', raw([0x20, 2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['closes before an answer to the WebSocket request', raw(), '--ws'],
    ['is not reached by the proxy', reply(3)],
    ['says DISCONNECT 139', disconnecting, '-V', '5'],
  ])(
    'none: sub tries again where the broker %s (cli §12.4)',
    async (_how: string, place: Place, ...args: string[]) => {
      const child = startProgram('tsmqtt-sub', [...(await place()), ...BASE.sub, ...args]);
      await child.line(/^Warning: Connection to .* was lost \(.*\); reconnecting\.$/, 'stderr');
      await child.kill('SIGTERM');
    },
  );

  test.each(['pub', 'rr'] as const)('19: %s, PINGREQ is not answered', async (tool) => {
    const at = ['-h', '127.0.0.1', '-p', String(await fakePeer(acceptAndFallSilent))];
    const { code, stderr } = await runProgram(`tsmqtt-${tool}`, [
      ...at,
      ...BASE[tool],
      '-k',
      '5',
      '-V',
      '311',
    ]);
    expect({ code, stderr }).toEqual({ code: 19, stderr: 'Error: Keepalive exceeded\n' });
  });
});
