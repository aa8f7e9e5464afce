import { createServer, type Server, type Socket } from 'node:net';
import { Connection } from '../connection/connection.js';
import type { Engine } from '../engine.js';
import type { ListenerSettings } from '../settings.js';

/** An open listening socket. */
export interface OpenListener {
  readonly address: string;
  readonly port: number;
  /** What its connections go by from now on; the address stays. */
  update(settings: ListenerSettings): void;
  /** Takes no more connections; resolves when those it gave are closed too. */
  close(): Promise<void>;
}

/** Connections that the kernel may hold ready; Mosquitto asks for 100, a burst of thousands of devices needs more. */
const BACKLOG = 1024;

/** Connections that a listener has, on all its sockets. */
export interface ListenerLoad {
  open: number;
}

/**
 * Listens on one address and hands every connection to the engine.
 * Rejects with the operating system's error (`EADDRINUSE`, `EACCES`, `ENOTFOUND`) where it cannot.
 *
 * @param load Shared by the sockets of one listener.
 */
export function listenTcp(
  engine: Engine,
  settings: ListenerSettings,
  host: string,
  port: number,
  load: ListenerLoad = { open: 0 },
): Promise<OpenListener> {
  const acceptor = new Acceptor(engine, settings, load);
  // Writes are coalesced by the broker, so the kernel need not wait for more (broker B-16).
  // Half-open, so that a client that ends its side right behind its last packet still gets the answers to it.
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => acceptor.accept(socket));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG, ipv6Only: host.includes(':') }, () => {
      server.off('error', reject);
      server.on('error', (error) => engine.log.error(`Error: ${error.message}`));
      resolve(opened(server, acceptor, host));
    });
  });
}

/** Turns accepted sockets into connections, as many as the listener may have. */
class Acceptor {
  constructor(
    readonly engine: Engine,
    public settings: ListenerSettings,
    readonly load: ListenerLoad,
  ) {}

  accept(socket: Socket): void {
    const { engine, settings, load } = this;
    const peer = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
    if (settings.maxConnections > 0 && load.open >= settings.maxConnections) {
      engine.log.notice(`Client connection from ${peer.address} denied: max_connections exceeded.`);
      socket.destroy();
      return;
    }
    load.open++;
    socket.once('close', () => load.open--);
    if (engine.settings.connectionMessages) {
      engine.log.notice(`New connection from ${peer.address}:${peer.port} on port ${socket.localPort}.`);
    }
    new Connection(socket, engine, settings, peer);
  }
}

function opened(server: Server, acceptor: Acceptor, address: string): OpenListener {
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    address,
    port,
    update: (settings) => {
      const before = acceptor.settings;
      acceptor.settings = settings;
      for (const connection of acceptor.engine.connections) {
        if (connection.listener === before) connection.listener = settings;
      }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** An IPv4 address that came through an IPv6 socket, as the log and people write it. */
function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:/, '') ?? 'unknown';
}
