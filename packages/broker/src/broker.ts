import type { Duplex } from 'node:stream';
import type { PasswordVerifier } from '@tsmqtt/credentials';
import type { Properties } from '@tsmqtt/protocol';
import type { AuthMethod } from './auth/auth-method.js';
import { loadSecrets, Realms } from './auth/realm.js';
import type { SecretFileRules } from './auth/secret-file.js';
import { SecretLoader } from './auth/secrets.js';
import { type Clock, systemClock } from './clock.js';
import type { Counters } from './counters.js';
import { Engine } from './engine.js';
import { HookCalls } from './hooks/hook-calls.js';
import type { BrokerHooks } from './hooks/hooks.js';
import { Listeners } from './listener/listeners.js';
import type { ListeningSocket } from './listener/listening-socket.js';
import {
  HostClient,
  type HostMessage,
  type HostPublishOptions,
  type HostSubscribeOptions,
} from './local/host-client.js';
import { InProcessConnections } from './local/in-process-connections.js';
import { type Log, silentLog } from './log/log.js';
import { Persistence } from './persistence/persistence.js';
import type { Store } from './persistence/store.js';
import { Reloading } from './reloading.js';
import { composeFrame, expiryOf, Message } from './routing/message.js';
import { subscriptionText } from './routing/subscription-text.js';
import {
  type BrokerSettings,
  DEFAULT_LISTENER,
  DEFAULT_SETTINGS,
  isEncrypted,
  type ListenerSettings,
} from './settings.js';

/** Everything a configuration file takes, plus what only a host program has. */
export interface BrokerOptions extends Partial<Omit<BrokerSettings, 'log'>> {
  /** Port of the one listener of a test or a tool; 0 takes a free one. Replaces `listeners`. */
  readonly port?: number;
  /**
   * Address of that listener; default 127.0.0.1. Anonymous clients are let in by default where it is a loopback address,
   * and nowhere else.
   */
  readonly host?: string;
  /** Default: nothing is logged. */
  readonly log?: Log;
  /** What must hold for files of secrets; default: no symbolic links, and a warning where another user owns one. */
  readonly secretFiles?: SecretFileRules;
  /** Who may come in with a password, instead of what any `passwordFile` says. */
  readonly verifier?: PasswordVerifier;
  /**
   * Methods of enhanced authentication (MQTT 5, 4.12), for all listeners; one named SCRAM-SHA-256 stands in for what any
   * `scramFile` says. With methods, a User Name that nothing proves is refused.
   */
  readonly authMethods?: readonly AuthMethod[];
  /** Takes lines of an NSS key log of every TLS connection; for debugging only. */
  readonly tlsKeyLog?: ((line: Buffer) => void) | undefined;
  readonly clock?: Clock;
  /** Where the host program has its say. */
  readonly hooks?: BrokerHooks;
  /**
   * Where sessions and retained messages are kept beyond the life of this broker; default: they end with it. What
   * depends on it is acknowledged when it is saved. The broker closes no store: that is for whoever opened it, after
   * `close()`.
   */
  readonly store?: Store;
  /** What it calls itself in `$SYS/broker/version`; default `tsmqtt-broker`. */
  readonly name?: string;
}

/** A running broker. */
export interface Broker {
  /** `mqtt://127.0.0.1:1883`, `mqtts://` with TLS, or `unix:/run/broker.sock`: where its first listener is; `''` without one. */
  readonly url: string;
  /** Port of its first listener; 0: it is a Unix socket, or there is none. */
  readonly port: number;
  /** Address and port of every listening socket; path and 0 of a Unix socket. */
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  readonly counters: Readonly<Counters>;
  /**
   * A connection of this process, without a port: what is written to it are MQTT packets, as to a socket. For
   * `@tsmqtt/client`: `connect({ connector: async () => broker.openConnection() })`. It goes by the global security
   * settings, except that anonymous clients are let in. Throws when the broker is closed.
   */
  openConnection(): Duplex;
  /**
   * Publishes a message of the host program, after those before it. No access rules hold for it.
   *
   * @returns Whether any subscription matched. Resolves when the message is on its way to every subscriber and saved if
   *   there is a store; waits while a subscriber has to drain, with at most 1,000 that wait. Rejects with `UsageError`
   *   (`topic-name`, `topic-reserved`, `retain-not-available`) for what cannot be published, and where the store fails.
   */
  publish(topic: string, payload: string | Uint8Array, options?: HostPublishOptions): Promise<boolean>;
  /**
   * Subscribes the host program: `onMessage` is called for every message that matches the Topic Filter, retained ones
   * first. What it throws goes to the log.
   *
   * @returns Ends the subscription. Throws `UsageError` (`topic-filter`).
   */
  subscribe(
    filter: string,
    onMessage: (message: HostMessage) => void,
    options?: HostSubscribeOptions,
  ): () => void;
  /**
   * Takes new settings over; those of listeners for new connections, their addresses not at all (broker T-8). Reads files
   * of secrets again; what is wrong with one is logged, and what it held before stays in force (B-1).
   *
   * @param verifier As the option of `startBroker`; default: the one before.
   */
  reload(settings: BrokerSettings, verifier?: PasswordVerifier): Promise<void>;
  /** All subscriptions for people: a line a level, with the subscribers (broker §6). */
  subscriptionTree(): string;
  /**
   * Sends pending wills, closes all clients and resolves when everything is really closed, and saved if there is a store;
   * where that fails the log says so.
   */
  close(): Promise<void>;
}

/** How often expiry, keep-alive and the like are looked at, in milliseconds (broker T-36). */
const SWEEP = 1000;

/**
 * Starts a broker. Without options: 127.0.0.1 and ::1, port 1883, anonymous clients.
 *
 * Brokers in one process share nothing, and nothing they leave behind keeps a process alive.
 * Rejects with what the store says where that cannot be read, with `SecretFileError` for a file of secrets, with
 * `ListenerError` for TLS that cannot be set up, with the operating system's error where a listener cannot be opened;
 * then nothing is left open.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const {
    port,
    host,
    log = silentLog,
    clock = systemClock,
    verifier,
    secretFiles,
    name,
    authMethods,
    store,
    tlsKeyLog,
    hooks,
    ...given
  } = options;
  const settings: BrokerSettings = {
    ...DEFAULT_SETTINGS,
    ...given,
    ...listenersOf(port, host, given),
  };
  const rules = secretFiles ?? { followSymlinks: false, userId: process.getuid?.() };
  const newLoader = (given: PasswordVerifier | undefined) =>
    new SecretLoader(rules, log, { verifier: given });
  const realms = new Realms(settings, await loadSecrets(settings, newLoader(verifier)));
  const engine = new Engine(settings, log, clock, realms, name, authMethods);
  if (hooks !== undefined) engine.hooks = new HookCalls(engine, hooks);
  if (store !== undefined) await Persistence.start(engine, store);
  log.publishTo((topic, payload) => publishLogLine(engine, topic, payload));
  const listeners = await Listeners.open(engine, tlsKeyLog);
  return running(engine, listeners, new Reloading(engine, listeners, newLoader, verifier));
}

/** The listeners that are meant, and whether they serve this machine alone: only then do strangers get in unasked. */
function listenersOf(
  port: number | undefined,
  host: string | undefined,
  given: Partial<BrokerSettings>,
): Pick<BrokerSettings, 'listeners' | 'localOnly'> {
  if (port === undefined && host === undefined) {
    const listeners = given.listeners ?? DEFAULT_SETTINGS.listeners;
    return { listeners, localOnly: given.localOnly ?? given.listeners === undefined };
  }
  const address = host ?? '127.0.0.1';
  const listener = { ...DEFAULT_LISTENER, port: port ?? DEFAULT_LISTENER.port, host: address };
  return { listeners: [listener], localOnly: LOOPBACK.test(address) };
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** `log_dest topic`: QoS 2, not retained, gone after 20 s (broker §5). */
function publishLogLine(engine: Engine, topic: string, payload: string): void {
  const properties: Properties = [{ name: 'messageExpiryInterval', value: 20 }];
  const frame = composeFrame(topic, Buffer.from(payload), 2, false, properties, 5);
  engine.router.publish(new Message(topic, frame, expiryOf(properties, engine.clock.now())), undefined);
}

function running(engine: Engine, listeners: Listeners, reloading: Reloading): Broker {
  engine.sys.sweep(engine.clock.now());
  const sweep = setInterval(() => {
    engine.sweep();
    listeners.sweep();
  }, SWEEP);
  // The listening sockets keep the process alive as long as the broker is open; the timer need not.
  sweep.unref();
  const { sockets } = listeners;
  const [first] = sockets;
  const inProcess = new InProcessConnections(engine);
  const host = new HostClient(engine);
  let closing: Promise<void> | undefined;
  return {
    url: urlOf(first, engine.settings.listeners[0]),
    port: first?.port ?? 0,
    addresses: sockets.map(({ address, port }) => ({ address, port })),
    counters: engine.counters,
    openConnection: () => inProcess.open(),
    publish: (topic, payload, options) => host.publish(topic, payload, options),
    subscribe: (filter, onMessage, options) => host.subscribe(filter, onMessage, options),
    subscriptionTree: () => subscriptionText(engine.tree),
    reload: (settings, verifier) => reloading.reload(settings, verifier),
    close: () => {
      closing ??= shutDown(engine, listeners, inProcess, host).finally(() => clearInterval(sweep));
      return closing;
    },
  };
}

function urlOf(socket: ListeningSocket | undefined, listener: ListenerSettings | undefined): string {
  if (socket === undefined) return '';
  const { address, port } = socket;
  if (port === 0) return `unix:${address}`;
  const encrypted = listener !== undefined && isEncrypted(listener);
  return `${encrypted ? 'mqtts' : 'mqtt'}://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

async function shutDown(
  engine: Engine,
  listeners: Listeners,
  inProcess: InProcessConnections,
  host: HostClient,
): Promise<void> {
  const closed = Promise.all([listeners.close(), inProcess.close()]);
  engine.wills.publishAll();
  for (const connection of engine.connections) connection.close('shutdown');
  const lingering = setInterval(() => engine.sweep(), SWEEP / 4);
  await closed;
  clearInterval(lingering);
  // Last, so that the host program sees the wills.
  host.close();
  await engine.persistence?.journal.settled();
}
