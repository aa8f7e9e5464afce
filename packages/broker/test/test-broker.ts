import type { PasswordVerifier } from '@tsmqtt/credentials';
import { encodePacket, type ProtocolVersion } from '@tsmqtt/protocol';
import type { AccessList } from '../src/auth/access-list.js';
import { parseAcl } from '../src/auth/acl-parser.js';
import type { AuthMethod } from '../src/auth/auth-method.js';
import { Realms, type SecretsByListener } from '../src/auth/realm.js';
import type { ScramSha256 } from '../src/auth/scram-sha-256.js';
import { NO_SECRETS, type Secrets } from '../src/auth/secrets.js';
import { Connection } from '../src/connection/connection.js';
import type { PeerIdentity } from '../src/connection/peer.js';
import { Engine } from '../src/engine.js';
import type { Log } from '../src/log/log.js';
import { silentLog } from '../src/log/log.js';
import {
  type BrokerSettings,
  DEFAULT_LISTENER,
  DEFAULT_SETTINGS,
  type ListenerSettings,
} from '../src/settings.js';
import { MemorySocket, Traffic } from './memory-socket.js';
import { type ConnectFields, connectPacket, RawClient } from './raw-client.js';

/** Turns of the event loop without any traffic after which nothing is under way. */
const QUIET_TURNS = 4;
/** Milliseconds between two looks at the clock that measures work: how much fits into a turn is the same in every run. */
const LOOK_TAKES = 0.05;

export interface TestBrokerOptions {
  readonly settings?: Partial<BrokerSettings>;
  readonly listener?: Partial<ListenerSettings>;
  /** Keep log lines of every type; default: errors, warnings and notices. */
  readonly logsAll?: boolean;
  readonly verifier?: Pick<PasswordVerifier, 'verify'>;
  readonly scram?: ScramSha256;
  /** What the clients have proved before CONNECT; default: nothing. */
  readonly identity?: PeerIdentity;
  readonly authMethods?: readonly AuthMethod[];
  /** Where its time begins, in milliseconds since 1970. */
  readonly now?: number;
  /** Content of the ACL file. */
  readonly acl?: string;
  /** Instead of all these, for single listeners too. */
  readonly secrets?: SecretsByListener;
}

/** These secrets for all listeners, and nothing else. */
export function withSecrets(given: Partial<Secrets>): SecretsByListener {
  const secrets = { ...NO_SECRETS, ...given };
  return () => secrets;
}

/** Secrets for all listeners: this verifier, if any, and nothing else. */
export function withVerifier(verifier: Pick<PasswordVerifier, 'verify'> | undefined): SecretsByListener {
  return () => ({ ...NO_SECRETS, verifier: verifier as PasswordVerifier | undefined });
}

/** Secrets for all listeners: these access rules and nothing else. */
export function withAcl(text: string): SecretsByListener {
  return withSecrets({ acl: aclOf(text) });
}

function aclOf(text: string): AccessList {
  return parseAcl(Buffer.from(text), 'acl', silentLog);
}

/**
 * The engine without sockets and without time: connections in memory, a clock that only the test moves. What a test
 * sees is what has come when everything has settled, so nothing has to be awaited for some time.
 */
export class TestBroker {
  readonly engine: Engine;
  readonly listener: ListenerSettings;
  /** Log lines as `LEVEL text`. */
  readonly logged: string[] = [];
  readonly #traffic = new Traffic();
  readonly #identity: PeerIdentity | undefined;
  #now: number;
  #looks = 0;

  constructor(options: TestBrokerOptions = {}) {
    const { settings = {}, listener = {}, verifier, scram, authMethods, acl, logsAll = false } = options;
    this.#identity = options.identity;
    this.#now = options.now ?? Date.UTC(2026, 0, 1);
    this.listener = { ...DEFAULT_LISTENER, ...listener };
    const keep = (type: string) => (text: string) => void this.logged.push(`${type} ${text}`);
    const some: Log = {
      ...silentLog,
      error: keep('error'),
      notice: keep('notice'),
      warning: keep('warning'),
    };
    const log: Log = logsAll
      ? {
          ...some,
          enabled: () => true,
          info: keep('info'),
          debug: keep('debug'),
          subscribe: keep('subscribe'),
          unsubscribe: keep('unsubscribe'),
        }
      : some;
    // Without values of $SYS, unless the test is about them.
    const all = { ...DEFAULT_SETTINGS, sysInterval: 0, ...settings };
    const secrets =
      options.secrets ??
      withSecrets({
        verifier: verifier as PasswordVerifier | undefined,
        scram,
        acl: acl === undefined ? undefined : aclOf(acl),
      });
    const realms = new Realms(all, secrets);
    const clock = { now: () => this.#now, steady: () => (this.#looks += LOOK_TAKES) };
    this.engine = new Engine(all, log, clock, realms, undefined, authMethods);
  }

  /** SIGHUP with other settings, and no passwords. */
  async reload(changed: Partial<BrokerSettings>): Promise<void> {
    await this.engine.reload({ ...this.engine.settings, ...changed }, () => NO_SECRETS);
  }

  /** A connection on which nothing has been sent. */
  open(version: ProtocolVersion = 4, listener: Partial<ListenerSettings> = {}): RawClient {
    const [near, far] = MemorySocket.pair(this.#traffic);
    new Connection(far, this.engine, this.#listenerOf(listener), {
      address: '127.0.0.1',
      port: 1,
      identity: this.#identity,
    });
    return new RawClient(near, () => this.settle(), version);
  }

  /** One of the settings' own as it is: it has its realm there. */
  #listenerOf(listener: Partial<ListenerSettings>): ListenerSettings {
    const known = this.engine.settings.listeners.find((one) => one === listener);
    if (known !== undefined) return known;
    return Object.keys(listener).length === 0 ? this.listener : { ...this.listener, ...listener };
  }

  /** A connection whose CONNECT has been sent and answered; `take()` gives the answer. */
  async attempt(fields: ConnectFields = {}, listener: Partial<ListenerSettings> = {}): Promise<RawClient> {
    const packet = connectPacket(fields);
    const client = this.open(packet.protocolVersion, listener);
    client.write(encodePacket(packet, packet.protocolVersion));
    await this.settle();
    return client;
  }

  /** A client that was accepted. */
  async connect(fields: ConnectFields = {}, listener: Partial<ListenerSettings> = {}): Promise<RawClient> {
    const client = await this.attempt(fields, listener);
    const [connack = 'nothing', ...rest] = await client.take();
    if (!/^CONNACK (present )?0x00/.test(connack) || rest.length > 0) {
      throw new Error(`CONNECT was answered with ${[connack, ...rest].join(', ')}`);
    }
    return client;
  }

  /** Lets time pass and sweeps once a second, as a running broker does; `step` seconds at a time for long waits. */
  async pass(seconds: number, step = 1): Promise<void> {
    for (let left = seconds; left > 0; left -= step) {
      this.#now += Math.min(step, left) * 1000;
      this.engine.sweep();
    }
    await this.settle();
  }

  /** Lets time pass without anybody looking at it. */
  skip(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Resolves when nothing is under way between clients and broker. */
  async settle(): Promise<void> {
    let seen = -1;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      // What was sent long ago may still be read or handled, a share a turn.
      const moved = this.#traffic.moves + this.engine.counters.bytesReceived;
      if (moved !== seen || this.engine.scheduler.work.waiting) quiet = 0;
      seen = moved;
    }
  }
}
