import type { Socket } from 'node:net';
import { Connection } from '../connection/connection.js';
import type { Peer } from '../connection/peer.js';
import type { Engine } from '../engine.js';
import type { ListenerSettings } from '../settings.js';
import { Arrivals } from './arrivals.js';
import type { Incoming, Layer } from './layer.js';

/** Sockets that are open over all listeners. */
export interface Load {
  open: number;
}

/** Takes the sockets that one listener accepts, as many as there may be, and makes connections of them. */
export class Acceptor {
  readonly #engine: Engine;
  readonly #total: Load;
  readonly #arrivals = new Arrivals<Socket>();
  #settings: ListenerSettings;
  #layers: readonly Layer[];
  #open = 0;
  readonly #left = (): void => {
    this.#open--;
    this.#total.open--;
  };

  constructor(engine: Engine, settings: ListenerSettings, layers: readonly Layer[], total: Load) {
    this.#engine = engine;
    this.#settings = settings;
    this.#layers = layers;
    this.#total = total;
  }

  /**
   * What its connections go by from now on, and what new ones pass.
   *
   * @param layers Undefined: as before.
   */
  update(settings: ListenerSettings, layers: readonly Layer[] | undefined): void {
    const before = this.#settings;
    this.#settings = settings;
    this.#layers = layers ?? this.#layers;
    for (const connection of this.#engine.connections) {
      if (connection.listener === before) connection.listener = settings;
    }
  }

  accept(socket: Socket): void {
    const { log, settings, clock, counters } = this.#engine;
    counters.sockets++;
    const peer = this.#peerOf(socket);
    const limit = this.#limitReached();
    if (limit !== undefined) {
      log.notice(`Client connection from ${peer.address} denied: ${limit} exceeded.`);
      socket.destroy();
      return;
    }
    this.#open++;
    this.#total.open++;
    socket.once('close', this.#left);
    // Behind a proxy it would name the proxy (broker §10.3).
    if (settings.connectionMessages && this.#settings.proxyProtocol === undefined) {
      log.notice(`New connection from ${peer.address}:${peer.port} on port ${socket.localPort ?? 0}.`);
    }
    const layers = this.#layers;
    if (layers.length === 0) this.#arrived({ socket, peer }, clock.now());
    else this.#passLayers(socket, peer, layers);
  }

  #peerOf(socket: Socket): Peer {
    const { path } = this.#settings;
    if (path !== undefined) return { address: path, port: 0 };
    return { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
  }

  /** The option that forbids one more. */
  #limitReached(): string | undefined {
    const { maxConnections } = this.#settings;
    if (maxConnections > 0 && this.#open >= maxConnections) return 'max_connections';
    const { globalMaxConnections } = this.#engine.settings;
    if (globalMaxConnections > 0 && this.#total.open >= globalMaxConnections) return 'global_max_connections';
    return undefined;
  }

  #passLayers(socket: Socket, peer: Peer, layers: readonly Layer[]): void {
    const since = this.#engine.clock.now();
    this.#arrivals.add(socket, since)?.destroy();
    socket.once('close', () => this.#arrivals.delete(socket));
    // A socket that fails is closed by that, and then nobody needs to know why.
    socket.on('error', () => {});
    const enter = (incoming: Incoming, index: number): void => {
      // Its end may have come first.
      if (incoming.socket.destroyed) return;
      const layer = layers[index];
      if (layer !== undefined) {
        layer(incoming, (next) => enter(next, index + 1));
        return;
      }
      this.#arrivals.delete(socket);
      this.#arrived(incoming, since);
    };
    enter({ socket, peer }, 0);
  }

  #arrived({ socket, peer, onPartial }: Incoming, since: number): void {
    const connection = new Connection(socket, this.#engine, this.#settings, peer, since);
    onPartial?.((bytes) => connection.heard(bytes));
  }

  /** Once a second. */
  sweep(now: number): void {
    for (const socket of this.#arrivals.overdue(now, mostSlow(this.#settings))) {
      const { address, port } = this.#peerOf(socket);
      this.#engine.log.notice(`Client ${address}:${port} disconnected: exceeded timeout.`);
      socket.destroy();
    }
  }

  /** The broker ends: who is not connected yet never will be. */
  close(): void {
    for (const socket of this.#arrivals.all()) socket.destroy();
  }
}

/** A TLS handshake that does not go on holds about 50 KiB. */
const MOST_SLOW = 1024;

/**
 * How many may take long to get through the layers: half of the places at most are for those that do not go on. Requests
 * of the HTTP API are in their layer to their end, and answers may be large.
 */
function mostSlow({ protocol, maxConnections }: ListenerSettings): number {
  if (protocol === 'http_api') return Number.POSITIVE_INFINITY;
  return maxConnections > 0 ? Math.min(MOST_SLOW, Math.ceil(maxConnections / 2)) : MOST_SLOW;
}

/** An IPv4 address that came through an IPv6 socket, as the log and people write it. */
function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:/, '') ?? 'unknown';
}
