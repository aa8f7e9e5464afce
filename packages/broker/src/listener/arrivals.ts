import type { Duplex } from 'node:stream';
import { CONNECT_TIMEOUT } from '../connection/phase.js';

/**
 * How many sockets of a listener may be on their way. A burst of thousands of devices that come back is fine; where
 * there are more, the one that has been there longest goes: it is the one least likely to get anywhere.
 */
const MOST = 4096;

/** Sockets of one listener that are passing its layers, oldest first. */
export class Arrivals<Socket extends Duplex> {
  readonly #since = new Map<Socket, number>();

  /** @returns the one that has to go for it, if there are too many. */
  add(socket: Socket, now: number): Socket | undefined {
    const [oldest] = this.#since.size >= MOST ? this.#since.keys() : [];
    if (oldest !== undefined) this.#since.delete(oldest);
    this.#since.set(socket, now);
    return oldest;
  }

  /** It has arrived, or is gone. */
  delete(socket: Socket): void {
    this.#since.delete(socket);
  }

  /** Those that have taken too long. */
  overdue(now: number): Socket[] {
    const overdue: Socket[] = [];
    for (const [socket, since] of this.#since) {
      if (now - since <= CONNECT_TIMEOUT) break;
      overdue.push(socket);
    }
    return overdue;
  }

  /** All of them. */
  all(): Iterable<Socket> {
    return this.#since.keys();
  }
}
