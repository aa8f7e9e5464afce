import type { Duplex } from 'node:stream';
import { CONNECT_TIMEOUT } from '../connection/phase.js';

/**
 * How many sockets of a listener may be on their way. A burst of thousands of devices that come back is fine; where
 * there are more, the one that has been there longest goes: it is the one least likely to get anywhere.
 */
const MOST = 4096;

/** Who means to connect has passed all layers after this time, in milliseconds. */
const SOON = 5000;

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

  /**
   * Those that have taken too long: more than 30 s, or more than 5 s while there are too many such.
   *
   * @param mostSlow How many may take more than 5 s.
   */
  overdue(now: number, mostSlow: number): Socket[] {
    const slow: Socket[] = [];
    let late = 0;
    for (const [socket, since] of this.#since) {
      if (now - since <= SOON) break;
      if (now - since > CONNECT_TIMEOUT) late++;
      slow.push(socket);
    }
    return slow.slice(0, Math.max(late, slow.length - mostSlow));
  }

  /** All of them. */
  all(): Iterable<Socket> {
    return this.#since.keys();
  }
}
