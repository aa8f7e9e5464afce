import type { Duplex } from 'node:stream';
import { Connection } from '../connection/connection.js';
import type { Engine } from '../engine.js';
import { DEFAULT_LISTENER, type ListenerSettings } from '../settings.js';
import { duplexPair } from './duplex-pair.js';

/** Who asks for such a connection has the process in hand already: anonymous clients are let in. */
const SETTINGS: ListenerSettings = { ...DEFAULT_LISTENER, allowAnonymous: true };

const PEER = { address: 'in-process', port: 0 };

/**
 * Connections of clients that run in this process: the bytes of MQTT without a port. They go by the global security
 * settings, but for anonymous clients, and by the defaults of a listener.
 */
export class InProcessConnections {
  readonly #engine: Engine;
  readonly #open = new Set<Duplex>();
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The client's end. @throws Error when the broker is closed. */
  open(): Duplex {
    if (this.#closed) throw new Error('the broker is closed');
    const [near, far] = duplexPair();
    this.#open.add(far);
    far.once('close', () => {
      this.#open.delete(far);
      if (this.#open.size === 0) this.#whenEmpty?.();
    });
    new Connection(far, this.#engine, SETTINGS, PEER);
    return near;
  }

  /** Makes no more; resolves when all are closed. */
  close(): Promise<void> {
    this.#closed = true;
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }
}
