import type { ClientError } from '@tsmqtt/client';
import { property, ReasonCode, reasonText } from '@tsmqtt/protocol';
import type { Tool } from '../options/settings.js';
import { ProgramError } from '../program/program-error.js';
import { systemErrorText } from '../program/system-error.js';
import { endpointName } from './endpoint.js';

/** Exit codes and their texts (cli §17.3). */
// biome-ignore format: one row a line
const FAILURES = {
  protocolError: [2, 'A network protocol error occurred when communicating with the broker'],
  invalidInput: [3, 'Invalid input'],
  notConnected: [4, 'The client is not currently connected'],
  refused: [5, 'The connection was refused'],
  connectionLost: [7, 'The connection was lost'],
  authorisation: [11, 'Authorisation failed'],
  unknown: [13, 'Unknown error'],
  proxy: [16, 'Proxy error'],
  keepAlive: [19, 'Keepalive exceeded'],
  malformedPacket: [21, 'Malformed packet'],
  qosNotSupported: [24, 'Requested QoS not supported on server'],
  packetTooLarge: [25, 'Packet larger than supported by the server'],
} as const;

type Failure = keyof typeof FAILURES;

/** Largest reply of a SOCKS5 proxy that RFC 1928 knows; others are none of its errors (cli §9.5). */
const LARGEST_PROXY_REPLY = 8;

/** What each way of ending without being asked to means to pub, whose words these are (cli §11.5). */
const ENDINGS: Readonly<Record<ClientError['code'], Failure>> = {
  'connect-failed': 'notConnected',
  'lookup-failed': 'notConnected',
  refused: 'refused',
  'tls-setup': 'connectionLost',
  'tls-failed': 'connectionLost',
  'tls-interrupted': 'connectionLost',
  'websocket-handshake': 'unknown',
  'proxy-denied': 'authorisation',
  'proxy-unreachable': 'notConnected',
  'proxy-failed': 'proxy',
  'connection-lost': 'connectionLost',
  'keep-alive': 'keepAlive',
  'server-disconnect': 'notConnected',
  malformed: 'malformedPacket',
  'protocol-error': 'protocolError',
  'packet-too-large': 'packetTooLarge',
  'qos-not-supported': 'qosNotSupported',
  'unexpected-auth': 'authorisation',
  aborted: 'connectionLost',
  closed: 'connectionLost',
};

/** `Error: <text>` and the exit code of a failure (cli §17.3). */
export function failure(name: Failure): ProgramError {
  const [code, text] = FAILURES[name];
  return new ProgramError(code, `Error: ${text}\n`);
}

/** Where a program is when the connection fails. */
export interface FailureContext {
  readonly tool: Tool;
  /** `pub -l`, which words some errors otherwise. */
  readonly lines: boolean;
}

/**
 * Lines and exit code for the end of a connection or of the attempt to make one (cli §9.8, §11.5, §12.4, §17.2), and
 * behind them, on lines of their own, what the broker itself said of it.
 */
export function connectionFailure(error: ClientError, context: FailureContext): ProgramError {
  const { exitCode, text } = ownWords(error, context);
  const words = brokersWords(error).map((line) => `${line}\n`);
  return new ProgramError(exitCode, [text, ...words].join(''));
}

/** Reason String and Server Reference (MQTT 5, 3.2.2.3.9, 3.2.2.3.16): why, and where to go instead. */
export function brokersWords({ properties }: ClientError): string[] {
  const reason = property(properties, 'reasonString');
  const reference = property(properties, 'serverReference');
  const words = [];
  if (reason !== undefined) words.push(`The broker says: ${reason}`);
  if (reference !== undefined) words.push(`The broker refers to: ${reference}`);
  return words;
}

function ownWords(error: ClientError, context: FailureContext): ProgramError {
  switch (error.code) {
    case 'connect-failed':
      return new ProgramError(1, `Error: ${systemErrorText(error.cause ?? error)}${where(error)}\n`);
    case 'lookup-failed':
      return new ProgramError(1, 'Unable to connect (Lookup error).\n');
    case 'tls-setup':
    case 'tls-failed':
    case 'tls-interrupted':
      return new ProgramError(1, `Unable to connect (A TLS error occurred: ${error.message}).\n`);
    case 'proxy-failed':
      return failure((error.reasonCode ?? 0) > LARGEST_PROXY_REPLY ? 'invalidInput' : 'proxy');
    case 'refused':
      return refusal(error, context);
    case 'server-disconnect':
      // There is no response any more (D-5).
      if (context.tool === 'rr') return failure('connectionLost');
      // Reason 0 says nothing of an error, but what was sent is still unacknowledged (D-4).
      return failure(error.reasonCode === ReasonCode.SUCCESS ? 'connectionLost' : 'notConnected');
    case 'qos-not-supported':
      if (context.lines || context.tool === 'rr') return failure('qosNotSupported');
      return new ProgramError(
        7,
        'Error: Message QoS not supported on broker, try a lower QoS.\nError: The connection was lost\n',
      );
    case 'packet-too-large':
      return failure(context.lines || context.tool === 'rr' ? 'packetTooLarge' : 'connectionLost');
    default:
      return failure(ENDINGS[error.code]);
  }
}

/** `Error: Connection refused (127.0.0.1:1883)` (P-9). */
function where({ address, port }: ClientError): string {
  if (address === undefined) return '';
  return ` (${endpointName({ host: address, port: port ?? 0 })})`;
}

/** Return codes of CONNACK in MQTT 3 (cli §17.2). */
const V3_REFUSALS = [
  'unknown reason',
  'unacceptable protocol version',
  'identifier rejected',
  'broker unavailable',
  'bad user name or password',
  'not authorised',
] as const;

function refusal(error: ClientError, { tool, lines }: FailureContext): ProgramError {
  const { code, text, known } = refusalText(error, tool);
  // pub goes on to name what ended its loop; sub and rr do not (cli §17.2).
  const ending = tool !== 'pub' ? '' : FAILURES[lines || known ? 'refused' : 'protocolError'][1];
  return new ProgramError(code, `Connection error: ${text}\n${ending && `Error: ${ending}\n`}`);
}

function refusalText(error: ClientError, tool: Tool): { code: number; text: string; known: boolean } {
  const { protocolVersion, reasonCode: code = ReasonCode.UNSPECIFIED_ERROR } = error;
  if (protocolVersion !== 5) {
    const known = code in V3_REFUSALS && code !== 0;
    return { code, text: `Connection Refused: ${V3_REFUSALS[known ? code : 0]}`, known };
  }
  // A broker that knows only MQTT 3 says so with its own code 1 (cli §17.2).
  if (code === ReasonCode.UNSUPPORTED_PROTOCOL_VERSION || code === 1) {
    // rr has only the name for it.
    const advice = tool === 'rr' ? '' : '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.';
    const name = reasonText(ReasonCode.UNSUPPORTED_PROTOCOL_VERSION);
    return { code: ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, text: `${name}${advice}`, known: false };
  }
  return { code, text: reasonText(code), known: false };
}
