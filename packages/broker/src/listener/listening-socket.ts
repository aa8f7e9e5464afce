import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../log/log.js';
import type { Endpoint } from './endpoint.js';
import { removeStaleSocket, shareUnixSocket } from './unix-socket.js';

/** An open listening socket. */
export interface ListeningSocket {
  /** Address, or the path of a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Takes no more connections; resolves when those it gave are closed too. */
  close(): Promise<void>;
}

/** Connections that the kernel may hold ready; Mosquitto asks for 100, a burst of thousands of devices needs more. */
const BACKLOG = 1024;

/**
 * Listens at one place and hands every socket on: TCP and Unix sockets are ordered and lose nothing [MQTT-4.2.0-1]
 * [MQTT311-7.1.1-1].
 * Rejects with the operating system's error (`EADDRINUSE`, `EACCES`) where it cannot.
 *
 * @param port 0 for a free one.
 */
export async function listenAt(
  endpoint: Endpoint,
  port: number,
  log: Log,
  accept: (socket: Socket) => void,
): Promise<ListeningSocket> {
  if (endpoint.family === 'unix') {
    const { path } = endpoint;
    log.info(`Opening unix listen socket on path ${path}.`);
    await removeStaleSocket(path);
    const server = await listen({ path, backlog: BACKLOG }, log, accept);
    await shareUnixSocket(path);
    return listening(server, path);
  }
  const { family, host } = endpoint;
  log.info(`Opening ${family} listen socket on port ${port}.`);
  const options = { host, port, backlog: BACKLOG, ipv6Only: family === 'ipv6' };
  return listening(await listen(options, log, accept), host);
}

function listen(
  where: Parameters<Server['listen']>[0],
  log: Log,
  accept: (socket: Socket) => void,
): Promise<Server> {
  // Writes are coalesced by the broker, so the kernel need not wait for more (broker B-16).
  // Half-open, so that a client that ends its side right behind its last packet still gets the answers to it.
  const server = createServer({ noDelay: true, allowHalfOpen: true }, accept);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error(`Error: ${error.message}`));
      resolve(server);
    });
  });
}

function listening(server: Server, address: string): ListeningSocket {
  const bound = server.address();
  return {
    address,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
