import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { UsageError } from '@tsmqtt/protocol';
import { WebSocket } from 'ws';
import type { CancelSignal } from '../cancellation.js';
import { ClientError } from '../client-error.js';
import { attempt, discard, HANDSHAKE_TIMEOUT_MS } from './attempt.js';
import { type Connector, meaning } from './connector.js';
import type { WebSocketOptions } from './websocket.js';
import { WebSocketDuplex } from './websocket-duplex.js';

/** Subprotocol name of MQTT [MQTT-6.0.0-3] [MQTT311-6.0.0-3]. */
const SUBPROTOCOL = 'mqtt';

/** Longest message that is taken: an MQTT packet of the greatest size (2.1.4) in one frame. */
const MAXIMUM_MESSAGE_BYTES = 268_435_460;

const DEFAULT_PATH = '/mqtt';

export async function openWebSocket(
  over: Connector,
  options: WebSocketOptions,
  signal: CancelSignal,
): Promise<Duplex> {
  const { timeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const url = requestUrl(options);
  const headers = headerFields(options);
  const base = await over(signal);
  const timedOut = (): ClientError =>
    new ClientError('connection-lost', `no answer to the WebSocket handshake within ${timeoutMs} ms`);
  return await attempt<Duplex>({ signal, timeoutMs, timedOut }, (succeed, fail) => {
    // What the base has to say comes before the words that the library has for it.
    const onBaseError = (error: Error): void => fail(asHandshakeError(error));
    base.on('error', onBaseError);
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, [SUBPROTOCOL], {
        createConnection: () => base,
        headers,
        perMessageDeflate: false,
        maxPayload: MAXIMUM_MESSAGE_BYTES,
      });
    } catch (error) {
      discard(base);
      throw new UsageError('websocket-request', (error as Error).message);
    }
    socket
      .on('error', (error) => fail(asHandshakeError(error)))
      .on('unexpected-response', (_request, response: IncomingMessage) => fail(refused(response)))
      .once('open', () => {
        socket.removeAllListeners();
        base.off('error', onBaseError);
        succeed(new WebSocketDuplex(socket, base));
      });
    return () => {
      socket.on('error', () => {}).terminate();
      discard(base);
    };
  });
}

function requestUrl({ host, port, secure = false, path = DEFAULT_PATH }: WebSocketOptions): URL {
  const name = isIPv6(host) ? `[${host.replace(/%.*/, '')}]` : host;
  const absolute = path.startsWith('/') ? path : `/${path}`;
  const text = `${secure ? 'wss' : 'ws'}://${name}:${port}${absolute.replaceAll('#', '%23')}`;
  if (!URL.canParse(text)) throw new UsageError('websocket-request', `${text} is not a URL`);
  return new URL(text);
}

function headerFields({ headers = [] }: WebSocketOptions): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const same = Object.keys(fields).find((other) => other.toLowerCase() === name.toLowerCase());
    if (same === undefined) fields[name] = value;
    else fields[same] = [fields[same] ?? [], value].flat();
  }
  return fields;
}

function handshakeError(message: string, cause?: unknown): ClientError {
  return new ClientError('websocket-handshake', message, { cause });
}

function refused({ statusCode = 0, statusMessage }: IncomingMessage): ClientError {
  const reason = statusMessage || STATUS_CODES[statusCode] || '';
  return handshakeError(`the server answered the WebSocket handshake with ${statusCode} ${reason}`.trimEnd());
}

function asHandshakeError(error: Error): ClientError {
  const known = meaning(error);
  if (known !== undefined) return known;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    const message = 'the server closed the connection during the WebSocket handshake';
    return new ClientError('connection-lost', message, { cause: error });
  }
  if (code?.startsWith('HPE_')) return handshakeError('the server does not speak HTTP on this port', error);
  return handshakeError(error.message, error);
}
