import type { Engine } from '../engine.js';
import type { BrokerSettings, ListenerSettings } from '../settings.js';
import { Acceptor, type Load } from './acceptor.js';
import { endpointsOf } from './endpoint.js';
import type { Layer } from './layer.js';
import { type LayerContext, layersOf } from './layers.js';
import { ListenerError } from './listener-error.js';
import { type ListeningSocket, listenAt } from './listening-socket.js';

interface OpenListener {
  readonly context: LayerContext;
  readonly acceptor: Acceptor;
  readonly sockets: ListeningSocket[];
}

/** All listeners of a broker. */
export class Listeners {
  readonly #engine: Engine;
  readonly #open: OpenListener[] = [];
  readonly #total: Load = { open: 0 };

  readonly #keyLog: LayerContext['keyLog'];

  private constructor(engine: Engine, keyLog: LayerContext['keyLog']) {
    this.#engine = engine;
    this.#keyLog = keyLog;
  }

  /**
   * Opens those of the engine's settings.
   * Rejects with `ListenerError` or the operating system's error where one cannot be opened; then none is left open.
   */
  static async open(engine: Engine, keyLog?: LayerContext['keyLog']): Promise<Listeners> {
    const listeners = new Listeners(engine, keyLog);
    try {
      for (const settings of engine.settings.listeners) await listeners.#add(settings);
    } catch (error) {
      // Somebody may have connected to those that were open already.
      for (const connection of engine.connections) connection.destroy();
      await listeners.close();
      throw error;
    }
    return listeners;
  }

  /** In the order of the settings. */
  get sockets(): readonly ListeningSocket[] {
    return this.#open.flatMap(({ sockets }) => sockets);
  }

  /** Opens a listener's sockets: one for each address, of whose family a machine may lack one (broker §1.3). */
  async #add(settings: ListenerSettings): Promise<void> {
    const engine = this.#engine;
    const { localOnly } = engine.settings;
    const context = { engine, realm: engine.realms.of(settings), keyLog: this.#keyLog };
    const acceptor = new Acceptor(
      engine,
      settings,
      await layersOf(settings, engine.settings, context),
      this.#total,
    );
    const sockets: ListeningSocket[] = [];
    this.#open.push({ context, acceptor, sockets });
    let { port } = settings;
    let failure: unknown;
    for (const endpoint of await endpointsOf(settings, localOnly)) {
      try {
        const socket = await listenAt(endpoint, port, engine.log, (raw) => acceptor.accept(raw));
        sockets.push(socket);
        port = socket.port;
      } catch (error) {
        failure = error;
        // Where only loopback is served, one family is enough, whatever keeps the other from it.
        if (endpoint.family === 'unix' || !(localOnly || lacksFamily(error))) throw error;
        engine.log.warning(`Warning: Unable to listen on ${endpoint.host}: ${(error as Error).message}.`);
      }
    }
    if (sockets.length === 0) throw failure;
  }

  /**
   * Gets everything ready that new settings need, in the order of the listeners that were opened; the places stay
   * (broker T-8). Where a file cannot be used, that is logged, and what was read before stays in force (broker B-1).
   *
   * @returns what puts them in force.
   */
  async prepare(broker: BrokerSettings): Promise<() => void> {
    const updates: (() => void)[] = [];
    for (const [index, { context, acceptor }] of this.#open.entries()) {
      const settings = broker.listeners[index];
      if (settings === undefined) continue;
      const layers = await this.#layersAgain(settings, broker, context);
      updates.push(() => acceptor.update(settings, layers));
    }
    return () => {
      for (const update of updates) update();
    };
  }

  /** Undefined: they stay as they are. */
  async #layersAgain(
    settings: ListenerSettings,
    broker: BrokerSettings,
    context: LayerContext,
  ): Promise<readonly Layer[] | undefined> {
    try {
      return await layersOf(settings, broker, context);
    } catch (error) {
      if (!(error instanceof ListenerError)) throw error;
      this.#engine.log.error(error.message);
      return undefined;
    }
  }

  /** Once a second. */
  sweep(): void {
    const now = this.#engine.clock.now();
    for (const { acceptor } of this.#open) acceptor.sweep(now);
  }

  /** Takes no more connections; resolves when all are closed. */
  async close(): Promise<void> {
    const closed = this.sockets.map((socket) => socket.close());
    for (const { acceptor } of this.#open) acceptor.close();
    await Promise.all(closed);
  }
}

function lacksFamily(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
}
