import {
  type Connack,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type Publish,
  type PublishFrame,
  type Suback,
  type Unsuback,
  UsageError,
  Verdict,
  validTopicFilter,
} from '@tsmqtt/protocol';
import type { CancelSignal } from './cancellation.js';
import { aborted, type ClientError } from './client-error.js';
import type { ConnectOptions } from './connect-options.js';
import { Connection } from './connection/connection.js';
import { DEFAULT_HIGH_WATER, MessageIterator } from './message-iterator.js';
import { Batch, type FailureHandler, type PublishBatch } from './publish-batch.js';
import { type PublishResult, publishOne } from './publish-one.js';
import { outgoingProperties } from './session/outgoing-properties.js';
import { PublishHead, type PublishSettings } from './session/publish-head.js';
import type { Request } from './session/requests.js';
import { sessionSettings } from './session-defaults.js';
import { type Subscription, withDefaults } from './subscription-options.js';

export interface RequestOptions {
  readonly properties?: Properties | undefined;
  readonly signal?: CancelSignal | undefined;
}

export interface EndOptions {
  /** Reason Code of DISCONNECT (MQTT 5), default 0; 4 has the server publish the will. */
  readonly reasonCode?: number | undefined;
  readonly properties?: Properties | undefined;
  /** Cuts the connection where ending it in order takes too long. */
  readonly signal?: CancelSignal | undefined;
}

/** Whoever asked for a pause besides the iterators: the caller, by `pause()` or by what `onMessage` answered. */
const CALLER = Symbol('caller');
const START = Symbol('start');

/**
 * A connected client. `connect()` makes them.
 *
 * Payloads and batch sources belong to the client until the message is settled: they must not change.
 * Mistakes of the caller's are `UsageError`s, thrown or as rejections; everything else is a `ClientError`.
 */
export class Client {
  readonly protocolVersion: ProtocolVersion;
  readonly #options: ConnectOptions;
  readonly #connection: Connection;
  readonly #iterators = new Set<MessageIterator>();
  readonly #pausedBy = new Set<unknown>();

  /** Use `connect()`. */
  constructor(options: ConnectOptions) {
    this.#options = options;
    const settings = sessionSettings(options);
    this.protocolVersion = settings.protocolVersion;
    this.#connection = new Connection(options, settings, {
      deliver: (message) => this.#deliver(message),
      batchEnd: () => options.onBatchEnd?.(),
      connected: () => this.#giveTimeToListen(),
    });
    void this.closed.then((error) => {
      for (const iterator of this.#iterators) iterator.end(error);
    });
  }

  /** The newest CONNACK. */
  get connack(): Connack {
    return this.#connection.session.connack as Connack;
  }

  /** Our own Client Identifier, or the one that the server assigned. */
  get clientId(): string {
    return this.#connection.session.clientId;
  }

  /** QoS 1 and 2 messages that were sent, on whichever connection, and are not settled. */
  get inFlight(): number {
    return this.#connection.session.outbound.flow.inFlight;
  }

  /** Settles once, when the client is closed for good: undefined after `end()`, otherwise why. Never rejects. */
  get closed(): Promise<ClientError | undefined> {
    return this.#connection.closed;
  }

  /** For `connect()`: the first connection. */
  async open(): Promise<void> {
    await this.#connection.open();
  }

  /** Messages of a kept session may come together with CONNACK: whoever awaited `connect()` gets a turn to ask for them. */
  #giveTimeToListen(): void {
    if (this.#options.onMessage !== undefined) return;
    this.#block(START, true);
    setImmediate(() => this.#block(START, false));
  }

  #deliver(message: PublishFrame): Verdict {
    for (const iterator of this.#iterators) iterator.push(message);
    const verdict = this.#options.onMessage?.(message);
    if (verdict === Verdict.PAUSE) this.#pausedBy.add(CALLER);
    return this.#pausedBy.size > 0 ? Verdict.PAUSE : Verdict.CONTINUE;
  }

  /**
   * Publishes one message. Settles when it is written to a connection (QoS 0), on PUBACK (QoS 1), on PUBCOMP or a
   * PUBREC that refuses (QoS 2). A refusal resolves, with its Reason Code. While the connection is lost and tried again,
   * messages wait; what QoS 1 and 2 had in flight is sent again.
   */
  async publish(
    topic: string,
    payload: Uint8Array | string,
    options: PublishSettings & { readonly signal?: CancelSignal | undefined } = {},
  ): Promise<PublishResult> {
    const head = new PublishHead(topic, options, this.protocolVersion);
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    return publishOne(this.#connection.session.outbound, head, bytes, options.signal);
  }

  /** A stream of messages to one topic. @throws ClientError `qos-not-supported`, UsageError */
  batch(
    topic: string,
    options: PublishSettings & {
      /** Called for every message that was refused (Reason Code 0x80 and above). */
      readonly onFailure?: FailureHandler | undefined;
    } = {},
  ): PublishBatch {
    const { outbound } = this.#connection.session;
    const head = new PublishHead(topic, options, this.protocolVersion);
    outbound.check(head, 0);
    return new Batch(outbound, head, options.onFailure);
  }

  /** Resolves with SUBACK, refusals included; rejects where the connection ends before it. */
  async subscribe(requested: readonly Subscription[], options: RequestOptions = {}): Promise<Suback> {
    const subscriptions = requested.map(withDefaults);
    checkFilters(subscriptions.map(({ filter }) => filter));
    const properties = outgoingProperties(options.properties, 'SUBSCRIBE', this.protocolVersion);
    return this.#request<Suback>(
      {
        count: subscriptions.length,
        build: (packetId) => ({ type: PacketType.SUBSCRIBE, packetId, subscriptions, properties }),
      },
      options.signal,
    );
  }

  /** Resolves with UNSUBACK; rejects where the connection ends before it. */
  async unsubscribe(filters: readonly string[], options: RequestOptions = {}): Promise<Unsuback> {
    checkFilters(filters);
    const properties = outgoingProperties(options.properties, 'UNSUBSCRIBE', this.protocolVersion);
    return this.#request<Unsuback>(
      {
        count: filters.length,
        build: (packetId) => ({ type: PacketType.UNSUBSCRIBE, packetId, filters, properties }),
      },
      options.signal,
    );
  }

  #request<A extends Suback | Unsuback>(
    request: Pick<Request, 'count' | 'build'>,
    signal: CancelSignal | undefined,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw aborted(signal);
      // The answer to a request that was sent may still come; nobody waits for it any more.
      const onAbort = (): void => reject(aborted(signal as CancelSignal));
      const settled = (): void => signal?.removeEventListener('abort', onAbort);
      this.#connection.session.request({
        ...request,
        resolve: (answer) => {
          settled();
          resolve(answer as A);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Messages as an async iterator, in copies. The connection is not read while `highWater` messages (default 1024) wait.
   * Ends with the client: normally after `end()`, otherwise by throwing why.
   */
  messages(
    options: { readonly highWater?: number | undefined; readonly signal?: CancelSignal | undefined } = {},
  ): AsyncIterableIterator<Publish> {
    const { highWater = DEFAULT_HIGH_WATER, signal } = options;
    const iterator = new MessageIterator(
      {
        blocked: (who, blocked) => this.#block(who, blocked),
        remove: (who) => {
          this.#iterators.delete(who);
          this.#block(who, false);
        },
      },
      Math.max(1, highWater),
      signal,
    );
    this.#iterators.add(iterator);
    return iterator;
  }

  /**
   * Stops reading: back-pressure for the server. No PINGRESP is missed meanwhile. Should the connection be lost, that is
   * told when what was received is given.
   */
  pause(): void {
    this.#block(CALLER, true);
  }

  /** Goes on reading after `pause()` or `Delivery.PAUSE`; what was received already comes first, synchronously. */
  resume(): void {
    this.#block(CALLER, false);
  }

  #block(who: unknown, blocked: boolean): void {
    if (blocked) {
      this.#pausedBy.add(who);
      this.#connection.pause();
    } else if (this.#pausedBy.delete(who) && this.#pausedBy.size === 0) {
      this.#connection.resume();
    }
  }

  /** Sends the acknowledgements held back for everything delivered so far (`holdAcknowledgements`). */
  acknowledge(): void {
    this.#connection.acknowledge();
  }

  /**
   * Ends in order: sends what waits and DISCONNECT, closes this side, and gives the server a second to close its own.
   * Messages that are not settled fail with `closed`: wait for them first. Never rejects but for a UsageError.
   */
  async end(options: EndOptions = {}): Promise<void> {
    const { reasonCode = 0, signal } = options;
    const properties = outgoingProperties(options.properties, 'DISCONNECT', this.protocolVersion);
    this.#connection.session.disconnect({
      type: PacketType.DISCONNECT,
      reasonCode: this.protocolVersion === 5 ? reasonCode : 0,
      properties,
    });
    this.#connection.leave();
    const destroy = (): void => this.destroy();
    if (signal?.aborted) destroy();
    signal?.addEventListener('abort', destroy, { once: true });
    await this.closed;
    signal?.removeEventListener('abort', destroy);
  }

  /** Cuts the connection at once, without DISCONNECT: the server publishes the will. */
  destroy(): void {
    this.#connection.destroy();
  }
}

function checkFilters(filters: readonly string[]): void {
  if (filters.length === 0) throw new UsageError('no-filter', 'there is no Topic Filter');
  const wrong = filters.find((filter) => !validTopicFilter(filter));
  if (wrong !== undefined) {
    throw new UsageError('topic-filter', `${JSON.stringify(wrong)} is not a Topic Filter`);
  }
}

/** Connects to a server. Resolves at CONNACK 0. @throws ClientError, UsageError */
export async function connect(options: ConnectOptions): Promise<Client> {
  const client = new Client(options);
  await client.open();
  return client;
}
