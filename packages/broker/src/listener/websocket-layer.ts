import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { Engine } from '../engine.js';
import type { BrokerSettings, ListenerSettings } from '../settings.js';
import type { Incoming, Layer } from './layer.js';
import { WebSocketDuplex } from './websocket-duplex.js';
import { chooseSubprotocol, refusalOf, UPGRADE_REQUIRED, type UpgradeRefusal } from './websocket-request.js';

/** A message may be this long whatever `max_packet_size` says, so that several packets can share one. */
const SMALLEST_LIMIT = 65_536;
/** A message in smaller pieces than this on the average costs more to keep than it is long, and is refused. */
const SMALLEST_PIECE = 256;
/** What waits for its peer's Close is gone after this many milliseconds. */
const CLOSE_TIMEOUT = 1000;
const DEFAULT_HEAD = 4096;

/** The pass that a socket waits for, and whose it is. */
interface Waiting {
  readonly incoming: Incoming;
  readonly pass: (next: Incoming) => void;
}

/**
 * WebSocket (broker §10.1): an HTTP request asks for it, and then the bytes of binary frames are what passes. Everything
 * else is answered with an HTTP status and closed (broker B-7).
 */
export function websocketLayer(
  listener: ListenerSettings,
  { maxPacketSize, packetBufferSize }: Pick<BrokerSettings, 'maxPacketSize' | 'packetBufferSize'>,
  engine: Engine,
): Layer {
  const origins = listener.websocketsOrigins;
  const limit = Math.max(maxPacketSize, SMALLEST_LIMIT);
  const pieces = Math.ceil(limit / SMALLEST_PIECE);
  const waiting = new WeakMap<Duplex, Waiting>();
  const options: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    // A text frame ends the connection whatever it holds.
    skipUTF8Validation: true,
    maxPayload: limit,
    maxFragments: pieces,
    maxBufferedChunks: pieces,
    closeTimeout: CLOSE_TIMEOUT,
    handleProtocols: (offered) => chooseSubprotocol([...offered].join()) ?? false,
  };
  const server = new WebSocketServer(options);
  const log = (socket: Duplex, reason: string): void => {
    const { peer } = waiting.get(socket)?.incoming ?? {};
    if (peer === undefined || !engine.settings.connectionMessages) return;
    engine.log.notice(`Client ${peer.address}:${peer.port} disconnected: ${reason}.`);
  };
  // It never listens, so it has no timers either: the acceptor looks after the time that a request takes.
  const http = createServer({ maxHeaderSize: packetBufferSize || DEFAULT_HEAD }, (request, response) => {
    log(request.socket, UPGRADE_REQUIRED.reason);
    const { status, reason, headers } = UPGRADE_REQUIRED;
    response.writeHead(status, { ...headers, ...textHeaders(reason) }).end(`${reason}\n`);
  });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const whose = waiting.get(socket);
    const refusal = refusalOf(request, origins);
    if (refusal !== undefined || whose === undefined) {
      refuse(socket, refusal ?? UPGRADE_REQUIRED);
      log(socket, (refusal ?? UPGRADE_REQUIRED).reason);
      return;
    }
    // What came behind the request is the first of the frames (broker T-45).
    server.handleUpgrade(request, socket, head, (upgraded) => {
      const duplex = new WebSocketDuplex(upgraded, socket);
      whose.pass({
        socket: duplex,
        peer: whose.incoming.peer,
        onPartial: (heard) => {
          duplex.onPartial = heard;
        },
      });
    });
  });
  http.on('clientError', (error: ClientError, socket: Duplex) => {
    if (socket.writableEnded) return;
    const refusal = badRequest(error);
    refuse(socket, refusal);
    log(socket, refusal.reason);
    const { peer } = waiting.get(socket)?.incoming ?? {};
    if (peer !== undefined && looksLikeTls(error.rawPacket)) {
      engine.log.notice(
        `Client from ${peer.address}:${peer.port} appears to be using TLS to connect to a non-TLS listener.`,
      );
    }
  });
  return (incoming, pass) => {
    waiting.set(incoming.socket, { incoming, pass });
    http.emit('connection', incoming.socket);
  };
}

/** What Node says of a request that is none. */
interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

function badRequest({ code, message }: ClientError): UpgradeRefusal {
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, reason: 'the request has too large a head' };
  return { status: 400, reason: `the request is no HTTP: ${message}` };
}

function looksLikeTls(bytes: Buffer | undefined): boolean {
  return bytes?.[0] === 0x16 && bytes[1] === 3;
}

/** Answers without a response object, which an upgrade and a broken request do not have, and ends. */
function refuse(socket: Duplex, { status, reason, headers }: UpgradeRefusal): void {
  const lines = Object.entries({ ...headers, ...textHeaders(reason) }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', ''].join('\r\n');
  socket.end(`${head}${reason}\n`, () => socket.destroy());
}

function textHeaders(reason: string): Record<string, string> {
  const length = String(Buffer.byteLength(reason) + 1);
  return { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': length, Connection: 'close' };
}
