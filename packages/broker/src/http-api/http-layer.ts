import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Right } from '../auth/access-list.js';
import { authenticate } from '../auth/authenticate.js';
import { Identity } from '../auth/identity.js';
import type { Connection } from '../connection/connection.js';
import type { Layer } from '../listener/layer.js';
import type { LayerContext } from '../listener/layers.js';
import type { ListenerSettings } from '../settings.js';
import { type Answer, CORS, REFUSALS } from './answer.js';
import { basicCredentials } from './basic-credentials.js';
import { RecentAnswers } from './recent-answers.js';
import { requestPath } from './request-path.js';
import { openStaticFile } from './static-file.js';

/** What an ACL file knows it by, for `%c`. */
const CLIENT_ID = 'http-api';

/** Largest head of a request in bytes. */
const LARGEST_HEAD = 16_384;

/**
 * The HTTP API (broker §10.5): the end of its sockets' way. One request for each connection, and as the socket never
 * arrives anywhere, the acceptor's 30 s are what request and answer have.
 */
export function httpLayer(listener: ListenerSettings, { engine, realm }: LayerContext): Layer {
  const routes = new RecentAnswers(engine);
  const asked = new WeakSet<Duplex>();
  const http = createServer({ maxHeaderSize: LARGEST_HEAD }, (request, response) => {
    // What is behind the first request goes unanswered: the connection ends with its answer.
    if (asked.has(request.socket)) return;
    asked.add(request.socket);
    response.shouldKeepAlive = false;
    respond(request, response).catch((error: Error) => {
      engine.log.error(`Error: HTTP API: ${error.message}`);
      if (response.headersSent) response.destroy();
      else send(response, REFUSALS.failed);
    });
  });
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = requestPath(request.url ?? '');
    const refusal = await refusalOf(request, path, { realm, engine });
    if (refusal !== undefined || path === undefined) {
      send(response, refusal ?? REFUSALS.notFound);
      return;
    }
    const { httpDir } = listener;
    const answer = routes.get(path);
    if (answer !== undefined) send(response, answer);
    else if (httpDir === undefined || path.startsWith('/api/')) send(response, REFUSALS.notFound);
    else await sendFile(response, httpDir, path);
  };
  return ({ socket }) => {
    http.emit('connection', socket);
  };
}

/**
 * Why a request is not answered, if it is not: who asks has to be let in first, whatever there is, and then needs the right
 * to read the path, as if it were a topic.
 */
async function refusalOf(
  request: IncomingMessage,
  path: string | undefined,
  door: Pick<Connection, 'realm' | 'engine'>,
): Promise<Answer | undefined> {
  if (request.method !== 'GET') return REFUSALS.wrongMethod;
  const credentials = basicCredentials(request.headers.authorization);
  if (credentials === undefined) return REFUSALS.notAuthorised;
  const verdict = await authenticate(door, credentials);
  if (verdict === 'busy') return REFUSALS.busy;
  if (verdict === 'refused') return REFUSALS.notAuthorised;
  if (path === undefined) return REFUSALS.notFound;
  const identity = new Identity(door.realm, CLIENT_ID, credentials.username, door.engine.log);
  return identity.may(Right.READ, path) ? undefined : REFUSALS.notAuthorised;
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, { ...headers, 'Content-Length': length }).end(body);
}

async function sendFile(response: ServerResponse, folder: string, path: string): Promise<void> {
  const file = await openStaticFile(folder, path);
  if (file === undefined) {
    send(response, REFUSALS.notFound);
    return;
  }
  const { handle, size, contentType } = file;
  // No more than was announced, however the file grows.
  const content = size === 0 ? [] : handle.createReadStream({ end: size - 1, autoClose: false });
  try {
    response.writeHead(200, {
      ...CORS,
      'Content-Type': contentType,
      'Content-Length': String(size),
      'X-Content-Type-Options': 'nosniff',
    });
    await pipeline(content, response);
  } catch (error) {
    // A client that has gone is no mistake of the broker's.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  } finally {
    await handle.close();
  }
}
