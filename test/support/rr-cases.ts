import { type Packet, PacketType, type Property } from '@tsmqtt/protocol';
import { connack, message, type Peer, suback } from '../../packages/cli-kit/test/scripted-broker.js';

/** What a program printed and how it ended. */
export interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Arguments for tsmqtt-rr and mosquitto_rr, and who is at the other end of the connection. */
export interface RrCase {
  readonly args: readonly string[];
  /** `mosquitto` has a retained message on `kept`; otherwise a broker answers packets as the function says. */
  readonly peer: 'nobody' | 'mosquitto' | ((packet: Packet, peer: Peer) => unknown);
  readonly input?: string;
  /** Why the two are not the same, and what ours does. */
  readonly difference?: RrDifference;
}

export interface RrDifference {
  /** Decision, deviation or section of the contract. */
  readonly number: string;
  readonly what: string;
  readonly ours: Printed;
}

/** A request whose response is itself. */
const ECHO = ['-t', 'echo', '-e', 'echo'];
const UNANSWERED = ['-t', 'ask', '-e', 'answer', '-m', 'x'];
const ONE_SECOND = ['-W', '1'];

/** Answers the request. */
function answering(...responses: Parameters<typeof message>[]) {
  return (packet: Packet, peer: Peer): unknown => {
    if (packet.type === PacketType.PUBLISH) for (const each of responses) peer.send(message(...each));
    return true;
  };
}

/** Refuses the subscription. */
function denying(code: number) {
  return (packet: Packet, peer: Peer): unknown =>
    packet.type !== PacketType.SUBSCRIBE || void peer.send(suback(packet.packetId, [code]));
}

/** Refuses the connection. */
function refusing(code: number) {
  return (packet: Packet, peer: Peer): unknown => {
    if (packet.type === PacketType.CONNECT) peer.send(connack(code));
    return false;
  };
}

/** Accepts the connection, and says something of itself. */
function limited(property: Property) {
  return (packet: Packet, peer: Peer): unknown =>
    packet.type !== PacketType.CONNECT || void peer.send(connack(0, [property]));
}

/** Sends these bytes instead of a response, and closes. */
function breaking(...bytes: number[]) {
  return (packet: Packet, peer: Peer): unknown =>
    packet.type !== PacketType.PUBLISH || void peer.socket.end(Uint8Array.from(bytes));
}

function silentAfter(type: number) {
  return (packet: Packet): unknown => packet.type !== type;
}

const correlation = (text: string): Property => ({ name: 'correlationData', value: Buffer.from(text) });

const NO_DOT = { number: 'cli §17.3', what: 'no dot behind the text of an error' };
const LOST = 'Error: The connection was lost\n';

function failure(code: number, stderr: string): Printed {
  return { code, stdout: '', stderr };
}

function argumentError(text: string): Printed {
  return failure(1, `${text}\nUse 'mosquitto_rr --help' to see usage.\n`);
}

// biome-ignore format: one row a line
const ARGUMENTS: readonly (readonly [args: readonly string[], difference?: RrDifference])[] = [
  [[]],
  [['-t', 'a', '-e', 'b']],
  [['-t', 'a', '-m', 'b']],
  [['-e', 'a', '-n']],
  [['-f', '/nonexistent']],
  [['-e']],
  [['-e', 'a/+']],
  [['-e', '#']],
  [['-t', 'a/#']],
  [['-t', ''], { number: 'cli §10', what: 'no topic is an invalid one', ours: argumentError("Error: Invalid publish topic '', does it contain '+' or '#'?\n") }],
  [['-m']],
  [['-m', 'a', '-m', 'b']],
  [['-m', 'a', '-s']],
  [['-l']],
  [['-r']],
  [['-C', '1']],
  [['-E']],
  [['-U', 'a']],
  [['--repeat', '2']],
  [['--bogus']],
  [['-W']],
  [['-W', '0']],
  [['-W', '-1']],
  [['-q', '3']],
  [['-p', '65536']],
  [['-k', '4']],
  [['-M', '0']],
  [['-V', '6']],
  [['-x', 'soon']],
  [['-F']],
  [['-F', '%']],
  [['-F', '%z']],
  [['-F', '\\q']],
  [['-i', 'a', '-I', 'b']],
  [['--will-retain']],
  [['--will-payload', 'x']],
  [['--will-topic', 'a/#']],
  [[...UNANSWERED, '-c']],
  [[...UNANSWERED, '-c', '-V', '311']],
  [[...UNANSWERED, '-i', '']],
  [[...UNANSWERED, '-V', '311', '-P', 'x']],
  [[...UNANSWERED, '-D', 'publish', 'response-topic', 'x']],
  [['-D', 'publish', 'response-topic', 'x']],
  [['-D', 'publish', 'topic']],
  [['-D', 'publish', 'topic', 'x'], { number: 'cli §7', what: 'what was typed is repeated', ours: argumentError('Error: Invalid property name topic given in --property argument.\n\n') }],
  [['-D', 'request', 'response-topic', 'x'], { number: 'cli §7', what: 'what was typed is repeated', ours: argumentError('Error: Invalid command request given in --property argument.\n\n') }],
  [['-D', 'publish', 'receive-maximum', '1']],
  [['-o', 'a', '-o', 'b'], { number: 'cli §3.1', what: 'options files came with 2.1', ours: argumentError('Error: Duplicate -o argument given.\n\n') }],
  [['--quiet', '--bogus']],
  [['-q', 'abc'], { number: 'P-4', what: 'numbers are numbers', ours: argumentError('Error: Invalid QoS given: abc\n') }],
  [['--latency'], { number: 'cli §3.3', what: '--latency came with 2.1', ours: argumentError('Error: All of topic, message, and response topic must be supplied.\n') }],
  [['-e=a']],
  [['--topic=a'], { number: 'P-5', what: 'long options take their value behind =, too', ours: argumentError('Error: All of topic, message, and response topic must be supplied.\n') }],
  [['-W', '5x'], { number: 'P-4', what: 'numbers are numbers', ours: argumentError('Error: Invalid timeout "5x".\n\n') }],
  [[...UNANSWERED, ...Array(2).fill(['-D', 'publish', 'content-type', 'x']).flat()], { number: 'cli §13', what: 'every duplicate gets the words for the response topic, and no hint', ours: failure(1, 'Error in PUBLISH properties: Duplicate response topic.\n') }],
];

// biome-ignore format: one row a line
const CONNECTED: readonly RrCase[] = [
  { args: UNANSWERED, peer: 'nobody', difference: { number: 'P-9', what: 'the endpoint is named', ours: failure(1, 'Error: Connection refused (127.0.0.1:1)\n') } },
  { args: ['--quiet', ...UNANSWERED], peer: 'nobody' },

  { args: [...ECHO, '-m', 'hello'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-v'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-N'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-v', '-N'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-F', '%t %p %l %q %r %x %R'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-F', '%10p|%-8t|%05l', '-v', '-N'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-D', 'publish', 'content-type', 'text', '-D', 'publish', 'user-property', 'a', 'b', '-F', '%C %P %R'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-D', 'publish', 'correlation-data', 'mine', '-F', '%D'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-q', '1', '-F', '%q %m'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-q', '2', '-F', '%q %m'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-V', '311'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-V', '31', '-q', '1'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-x', '10', '-i', 'expiring'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'hello', '-c', '-i', 'staying', '-V', '311'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', '', '-v'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', ''], peer: 'mosquitto' },
  { args: [...ECHO, '-n', '-v'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'x', '-I', 'prefix-'], peer: 'mosquitto' },
  { args: [...ECHO, '-m', 'x', '-D', 'connect', 'receive-maximum', '5'], peer: 'mosquitto' },
  { args: [...ECHO, '-s', '-v'], peer: 'mosquitto', input: 'from stdin', difference: { number: 'cli §11.4', what: 'stdin is the request; 2.0.11 sends an empty one', ours: { code: 0, stdout: 'echo from stdin\n', stderr: '' } } },
  { args: [...ECHO, '-f', '/dev/null', '-F', '%t'], peer: 'mosquitto' },
  { args: [...ECHO, '-f', '/nonexistent', '-v'], peer: 'mosquitto', difference: { number: 'cli §11.4', what: 'the file is the request; 2.0.11 sends an empty one', ours: failure(1, 'Error: Unable to read file "/nonexistent": No such file or directory.\nError loading input file "/nonexistent".\n') } },
  { args: [...UNANSWERED, ...ONE_SECOND], peer: 'mosquitto' },
  { args: [...UNANSWERED, ...ONE_SECOND, '--quiet'], peer: 'mosquitto' },
  { args: [...UNANSWERED, ...ONE_SECOND, '-V', '311'], peer: 'mosquitto' },
  { args: ['-t', 'ask', '-e', 'kept', '-m', 'x', ...ONE_SECOND], peer: 'mosquitto', difference: { number: 'P-14', what: 'a retained message is no response', ours: failure(27, 'Timed out\n') } },
  { args: ['-t', 'ask', '-e', 'kept', '-m', 'x', '-V', '311', ...ONE_SECOND], peer: 'mosquitto', difference: { number: 'P-14', what: 'a retained message is no response', ours: failure(27, 'Timed out\n') } },
  { args: [...ECHO, '-m', 'hello', '-i', 'me', '-d', '-V', '311'], peer: 'mosquitto', difference: { number: 'D-2', what: 'DISCONNECT is sent, and shown', ours: { code: 0, stdout: "Client me sending CONNECT\nClient me received CONNACK (0)\nClient me sending SUBSCRIBE (Mid: 1, Topic: echo, QoS: 0, Options: 0x00)\nClient me received SUBACK\nClient me sending PUBLISH (d0, q0, r0, m2, 'echo', ... (5 bytes))\nClient me received PUBLISH (d0, q0, r0, m0, 'echo', ... (5 bytes))\nhello\nClient me sending DISCONNECT\n", stderr: '' } } },
  { args: [...UNANSWERED, ...ONE_SECOND, '-i', 'me', '-d'], peer: 'mosquitto' },
  { args: [...UNANSWERED, ...ONE_SECOND, '-i', 'me', '-d', '-q', '1'], peer: 'mosquitto' },

  { args: UNANSWERED, peer: answering(['answer', '1'], ['answer', '2']) },
  { args: UNANSWERED, peer: answering(['elsewhere', '1']) },
  { args: [...UNANSWERED, '-V', '311'], peer: answering(['elsewhere', '1']) },
  { args: [...UNANSWERED, '-F', '%t %A %C %E %F %P %R %S'], peer: answering(['a', '1', { properties: [{ name: 'contentType', value: 'c' }, { name: 'messageExpiryInterval', value: 5 }, { name: 'subscriptionIdentifier', value: 3 }] }]) },
  { args: [...UNANSWERED, '-R'], peer: answering(['answer', 'new']) },
  { args: UNANSWERED, peer: answering(['answer', '1', { properties: [correlation('foreign')] }], ['answer', '2']), difference: { number: 'P-14', what: 'the response to another request is none', ours: { code: 0, stdout: '2\n', stderr: '' } } },
  { args: [...UNANSWERED, '-D', 'publish', 'correlation-data', 'mine'], peer: answering(['answer', '1', { properties: [correlation('foreign')] }], ['answer', '2', { properties: [correlation('mine')] }]), difference: { number: 'P-14', what: 'the response to another request is none', ours: { code: 0, stdout: '2\n', stderr: '' } } },
  { args: [...UNANSWERED, '-D', 'publish', 'correlation-data', 'mine'], peer: answering(['answer', '1', { properties: [correlation('mine')] }]) },
  { args: UNANSWERED, peer: denying(0x87), difference: { number: 'P-2', what: 'its code is the exit code', ours: failure(0x87, 'Not authorized\n') } },
  { args: [...UNANSWERED, '-V', '311'], peer: denying(0x80), difference: { number: 'P-2', what: 'its code is the exit code', ours: failure(0x80, 'Unspecified error\n') } },
  { args: UNANSWERED, peer: refusing(0x87) },
  { args: UNANSWERED, peer: refusing(0x86) },
  { args: UNANSWERED, peer: refusing(0x97) },
  { args: ['--quiet', ...UNANSWERED], peer: refusing(0x87) },
  { args: UNANSWERED, peer: refusing(0x84), difference: { number: 'cli §13', what: 'the bare reason string; 2.0.11 has an advice', ours: failure(0x84, 'Connection error: Unsupported Protocol Version\n') } },
  { args: [...UNANSWERED, '-V', '311'], peer: refusing(2), difference: { number: 'D-5', what: 'the words of MQTT 3', ours: failure(2, 'Connection error: Connection Refused: identifier rejected\n') } },
  { args: [...UNANSWERED, '-V', '311'], peer: refusing(5), difference: { number: 'D-5', what: 'the words of MQTT 3', ours: failure(5, 'Connection error: Connection Refused: not authorised\n') } },
  { args: UNANSWERED, peer: breaking(), difference: { ...NO_DOT, ours: failure(7, LOST) } },
  { args: ['--quiet', ...UNANSWERED], peer: breaking() },
  { args: UNANSWERED, peer: breaking(0xe0, 2, 0x8b, 0), difference: { number: 'D-5', what: 'the end of the connection is no success', ours: failure(7, LOST) } },
  { args: UNANSWERED, peer: breaking(0xe0, 0), difference: { number: 'D-5', what: 'DISCONNECT without a reason code is one; 2.0.11 calls it an error', ours: failure(7, LOST) } },
  { args: UNANSWERED, peer: breaking(0x30, 1, 0), difference: { number: 'cli §17.1', what: 'a malformed packet is 21', ours: failure(21, 'Error: Malformed packet\n') } },
  { args: [...UNANSWERED, '-q', '1'], peer: limited({ name: 'maximumQoS', value: 0 }), difference: { ...NO_DOT, ours: failure(24, 'Error: Requested QoS not supported on server\n') } },
  { args: [...UNANSWERED, ...ONE_SECOND], peer: limited({ name: 'maximumPacketSize', value: 30 }), difference: { number: 'P-1', what: 'a request that cannot be sent is not waited for', ours: failure(25, 'Error: Packet larger than supported by the server\n') } },
  { args: [...UNANSWERED, ...ONE_SECOND], peer: silentAfter(PacketType.SUBSCRIBE) },
  { args: [...UNANSWERED, ...ONE_SECOND], peer: silentAfter(PacketType.CONNECT) },
];

export const RR_CASES: readonly RrCase[] = [
  ...ARGUMENTS.map(
    ([args, difference]): RrCase => ({
      args,
      peer: 'nobody',
      ...(difference === undefined ? {} : { difference }),
    }),
  ),
  ...CONNECTED,
];
