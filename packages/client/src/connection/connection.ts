import type { Connack, PublishFrame, Verdict } from '@tsmqtt/protocol';
import { Cancellation, type CancelSignal } from '../cancellation.js';
import { aborted, ClientError, type ClientErrorCode } from '../client-error.js';
import type { ConnectOptions } from '../connect-options.js';
import { ClientSession } from '../session/client-session.js';
import type { SessionHost, SessionSettings } from '../session/session-settings.js';
import { Link } from './link.js';

const DEFAULT_CONNACK_TIMEOUT_MS = 30_000;

const Phase = {
  /** A connection is being opened, or waits for CONNACK. */
  CONNECTING: 0,
  CONNECTED: 1,
  /** Lost, and the next attempt is due later. */
  WAITING: 2,
  /** The caller wants to end. */
  ENDING: 3,
  CLOSED: 4,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** Trying again would meet the same. */
const FATAL: ReadonlySet<ClientErrorCode> = new Set([
  'refused',
  // What a certificate, a web server or a proxy has decided (cli §12.4); handshakes that were cut short are tried again,
  // and so are files that may just be being renewed.
  'tls-failed',
  'websocket-handshake',
  'proxy-denied',
  'proxy-failed',
  'protocol-error',
  'unexpected-auth',
  'aborted',
  'closed',
]);

/** What the public face adds to a connection. */
export interface ConnectionHandlers {
  deliver(message: PublishFrame): Verdict;
  batchEnd(): void;
  /** The first CONNACK 0 came. */
  connected(): void;
}

/** A session and its connections, one after the other, until it is over. */
export class Connection implements SessionHost {
  readonly session: ClientSession;
  /** Settles when it is over for good: undefined after `end()`. */
  readonly closed: Promise<ClientError | undefined>;
  readonly #options: ConnectOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #opened: Promise<void>;
  #phase: Phase = Phase.CONNECTING;
  #link: Link | undefined;
  #attempt = 0;
  /** Stops the connector. */
  #opening: Cancellation | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settleOpened: ((error?: ClientError) => void) | undefined;
  #settleClosed: (error?: ClientError) => void = () => {};

  /** @throws UsageError */
  constructor(options: ConnectOptions, settings: SessionSettings, handlers: ConnectionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.session = new ClientSession(settings, this);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#opened = new Promise((resolve, reject) => {
      this.#settleOpened = (error) => (error === undefined ? resolve() : reject(error));
    });
  }

  /** The first connection, which is not tried again. Resolves at CONNACK 0. */
  async open(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = (): void => this.#close(aborted(signal as CancelSignal));
    if (signal?.aborted) onAbort();
    else void this.#connect();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#opened;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #connect(): Promise<void> {
    this.#phase = Phase.CONNECTING;
    const signal = new Cancellation();
    this.#opening = signal;
    let duplex: Awaited<ReturnType<ConnectOptions['connector']>>;
    try {
      duplex = await this.#options.connector(signal);
    } catch (cause) {
      if (!signal.aborted) this.#down(asClientError(cause));
      return;
    }
    if (signal.aborted) {
      duplex.on('error', () => {}).destroy();
      return;
    }
    this.#link = new Link(
      duplex,
      this.session,
      () => this.#handlers.batchEnd(),
      (error) => this.#down(error),
    );
    const { connackTimeoutMs = DEFAULT_CONNACK_TIMEOUT_MS } = this.#options;
    this.#timer = setTimeout(() => {
      const silent = new ClientError('connection-lost', `no CONNACK within ${connackTimeoutMs} ms`);
      this.failed(silent, undefined);
    }, connackTimeoutMs);
    this.#link.open();
  }

  /** SessionHost */
  outputReady(now: boolean): void {
    this.#link?.outputReady(now);
  }

  /** SessionHost */
  deliver(message: PublishFrame): Verdict {
    return this.#handlers.deliver(message);
  }

  /** SessionHost */
  connected(connack: Connack): void {
    clearTimeout(this.#timer);
    this.#phase = Phase.CONNECTED;
    this.#attempt = 0;
    this.#link?.keepTime();
    if (this.#settleOpened !== undefined) {
      this.#handlers.connected();
      this.#settleOpened();
      this.#settleOpened = undefined;
    } else {
      this.#options.onReconnected?.(connack);
    }
  }

  /** SessionHost */
  failed(error: ClientError, farewell: Uint8Array | undefined): void {
    this.#link?.abandon(farewell);
    this.#down(error);
  }

  /** Acknowledges every message delivered so far, at once: the server waits for it. */
  acknowledge(): void {
    this.session.acknowledge();
    this.#link?.flush();
  }

  pause(): void {
    this.session.pause();
    this.#link?.pauseReading();
  }

  resume(): void {
    if (this.#link === undefined) this.session.resume();
    else this.#link.resume();
  }

  /** There is no connection any more. */
  #down(error: ClientError): void {
    clearTimeout(this.#timer);
    const wasConnected = this.#phase === Phase.CONNECTED;
    this.#link = undefined;
    this.session.connectionLost(error);
    if (this.#phase === Phase.CLOSED) return;
    if (this.#phase === Phase.ENDING) {
      this.#close(undefined);
      return;
    }
    const { reconnect, onConnectionLost } = this.#options;
    if (reconnect === undefined || this.#settleOpened !== undefined || FATAL.has(error.code)) {
      this.#close(error);
      return;
    }
    this.#phase = Phase.WAITING;
    if (wasConnected) onConnectionLost?.(error);
    // The callback may have ended the client.
    if ((this.#phase as Phase) !== Phase.WAITING) return;
    const delay = reconnect(++this.#attempt, error);
    if (delay === undefined) {
      this.#close(error);
      return;
    }
    // Nothing else keeps the process alive until then.
    this.#timer = setTimeout(() => void this.#connect(), delay);
  }

  /** The session has said DISCONNECT, if it could: leaves the connection in order. */
  leave(): void {
    if (this.#phase === Phase.CLOSED || this.#phase === Phase.ENDING) return;
    if (this.#phase !== Phase.CONNECTED || this.#link === undefined) {
      this.#close(undefined);
      return;
    }
    this.#phase = Phase.ENDING;
    this.#link.leave();
  }

  destroy(): void {
    this.#close(
      this.#phase === Phase.ENDING ? undefined : new ClientError('closed', 'the client was destroyed'),
    );
  }

  #close(error: ClientError | undefined): void {
    if (this.#phase === Phase.CLOSED) return;
    this.#phase = Phase.CLOSED;
    clearTimeout(this.#timer);
    this.#opening?.abort();
    const reason = error ?? new ClientError('closed', 'the client was ended');
    if (this.#link !== undefined) {
      this.#link.destroy();
      this.#link = undefined;
      this.session.connectionLost(reason);
    }
    this.session.close(reason);
    this.#settleOpened?.(reason);
    this.#settleOpened = undefined;
    this.#settleClosed(error);
  }
}

function asClientError(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ClientError('connect-failed', message, { cause });
}
