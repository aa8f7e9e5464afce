import { type Properties, type QoS, UsageError, validTopicFilter, validTopicName } from '@tsmqtt/protocol';
import type { Engine } from '../engine.js';
import { LocalClient, type LocalMessage } from './local-client.js';

/** How a host program publishes; all optional. */
export interface HostPublishOptions {
  /** Default 0. */
  readonly qos?: QoS;
  /** Default false. */
  readonly retain?: boolean;
  /** Properties of MQTT 5 that go on to subscribers, in this order; default none. */
  readonly properties?: Properties;
}

/** How a host program subscribes; all optional. */
export interface HostSubscribeOptions {
  /** Get what is retained under the filter first; default true. Never with a Shared Subscription. */
  readonly retained?: boolean;
}

/** A message as a host program gets it: nothing has to be acknowledged. */
export type HostMessage = Pick<LocalMessage, 'topic' | 'payload' | 'retain' | 'properties'>;

/**
 * The host program as a client of its own broker: trusted, and in the same process, so that nothing is ever lost between
 * the two and QoS makes no difference to what it gets.
 */
export class HostClient {
  readonly #engine: Engine;
  readonly #publisher: LocalClient;
  readonly #subscribers = new Set<LocalClient>();
  #closed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#publisher = new LocalClient(engine, { onMessage: () => {} });
  }

  /** See `Broker.publish`. */
  async publish(
    topic: string,
    payload: string | Uint8Array,
    { qos = 0, retain = false, properties = [] }: HostPublishOptions = {},
  ): Promise<boolean> {
    if (!validTopicName(topic)) throw new UsageError('topic-name', `'${topic}' is not a valid Topic Name`);
    if (topic.startsWith('$SYS/') || topic.startsWith('$share/')) {
      throw new UsageError('topic-reserved', `'${topic}' is a topic that only the broker publishes to`);
    }
    if (retain && !this.#engine.settings.retainAvailable) {
      throw new UsageError('retain-not-available', 'this broker keeps no retained messages');
    }
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    return this.#publisher.publish({ topic, payload: bytes, qos, retain, properties });
  }

  /** See `Broker.subscribe`. */
  subscribe(
    filter: string,
    onMessage: (message: HostMessage) => void,
    { retained = true }: HostSubscribeOptions = {},
  ): () => void {
    if (this.#closed) throw new Error('the broker is closed');
    if (!validTopicFilter(filter)) {
      throw new UsageError('topic-filter', `'${filter}' is not a valid Topic Filter`);
    }
    // A client for each, so that two subscriptions to one filter are two.
    const client = new LocalClient(this.#engine, {
      onMessage: (message) => this.#deliver(onMessage, message),
    });
    this.#subscribers.add(client);
    client.subscribe(
      filter,
      { qos: 0, noLocal: false, retainAsPublished: true, identifier: undefined },
      retained,
    );
    return () => {
      client.close();
      this.#subscribers.delete(client);
    };
  }

  #deliver(
    onMessage: (message: HostMessage) => void,
    { topic, payload, retain, properties }: LocalMessage,
  ): void {
    try {
      onMessage({ topic, payload, retain, properties });
    } catch (error) {
      // Nobody's fault but the handler's: the other subscribers get their copies.
      this.#engine.log.error(`Error: A handler of the host program failed: ${String(error)}`);
    }
  }

  close(): void {
    this.#closed = true;
    this.#publisher.close();
    for (const client of this.#subscribers) client.close();
  }
}
