import type { Duplex } from 'node:stream';
import type { Peer } from '../connection/peer.js';

/** A byte stream on its way from a listening socket to MQTT, and what is known of its other end so far. */
export interface Incoming {
  readonly socket: Duplex;
  readonly peer: Peer;
  /**
   * Tells the last layer's stream whom to tell of bytes that have come and cannot be read yet, being part of a message
   * that is not complete: they too show that the client is alive.
   */
  readonly onPartial?: (heard: (bytes: number) => void) => void;
}

/**
 * Something that a socket passes before it speaks MQTT: a PROXY header, TLS, WebSocket. It takes what is its own off the
 * stream and gives `pass` what is next, now or later, once. Bytes that it read too far it puts back with `unshift()`, so
 * that the socket stays the system's own and is not wrapped for them.
 *
 * To refuse it logs why and destroys the socket. It need not look after errors of the socket that it was given, its
 * early end or the time it takes: the acceptor does.
 */
export type Layer = (incoming: Incoming, pass: (next: Incoming) => void) => void;
