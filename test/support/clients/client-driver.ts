import type { ProtocolVersion, QoS } from '@tsmqtt/protocol';

export type Transport = 'tcp' | 'websocket' | 'tls' | 'websocket over tls';

/** Where a client finds the broker. */
export interface Endpoint {
  readonly transport: Transport;
  readonly port: number;
  /** Certificate of the authority that signed the broker's. */
  readonly caFile: string;
}

/** Properties of a message by the names that all drivers translate. */
export interface MessageProperties {
  readonly contentType?: string;
  readonly responseTopic?: string;
  /** Text. */
  readonly correlationData?: string;
  readonly payloadFormat?: 0 | 1;
  readonly user?: readonly (readonly [string, string])[];
  readonly topicAlias?: number;
  readonly expiry?: number;
  /** Received only. */
  readonly subscriptionIdentifiers?: readonly number[];
}

export interface PublishOptions {
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: MessageProperties;
}

export interface ConnectOptions {
  readonly clean?: boolean;
  /** MQTT 5: Session Expiry Interval in seconds. */
  readonly expiry?: number;
  /** MQTT 5: Topic Alias Maximum of the client. */
  readonly aliases?: number;
  readonly will?: {
    readonly topic: string;
    readonly payload: string;
    readonly qos: QoS;
    readonly retain: boolean;
  };
}

export interface SubscribeOptions {
  readonly qos: QoS;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly identifier?: number;
}

export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties?: MessageProperties;
}

/** What a script may ask of a client that not every client can do. */
export type Skill =
  /** It tells whether the session was present. */
  | 'session present'
  /** It subscribes and unsubscribes more than once in a connection, and publishes in the one in which it subscribes. */
  | 'one connection'
  | 'take-over'
  | 'subscribe options'
  | 'aliases from the client'
  | 'aliases to the client'
  /** It changes Session Expiry Interval at DISCONNECT. */
  | 'expiry at the end';

export interface ClientDriver {
  readonly name: string;
  readonly versions: readonly ProtocolVersion[];
  readonly transports: readonly Transport[];
  readonly skills: ReadonlySet<Skill>;
  /** Resolves when the broker has accepted the client. */
  connect(
    endpoint: Endpoint,
    version: ProtocolVersion,
    clientId: string,
    options: ConnectOptions,
  ): Promise<DrivenClient>;
}

export interface DrivenClient {
  readonly sessionPresent: boolean | undefined;
  /** Resolves with the granted codes. */
  subscribe(filters: readonly string[], options: SubscribeOptions): Promise<readonly number[]>;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** Resolves when the client has everything that the QoS promises. */
  publish(topic: string, payload: string, options: PublishOptions): Promise<void>;
  /** Resolves with the next messages, so many. */
  receive(count: number): Promise<readonly ReceivedMessage[]>;
  /** Messages that have come and were not received. */
  readonly left: readonly ReceivedMessage[];
  disconnect(options: { readonly expiry?: number }): Promise<void>;
  /** Breaks the connection. */
  drop(): Promise<void>;
  /** Resolves when the broker has closed the connection. */
  ended(): Promise<void>;
}

/** Messages in the order in which they came, for whoever waits for them. */
export class Inbox {
  readonly left: ReceivedMessage[] = [];
  #wake: (() => void) | undefined;
  #failure: Error | undefined;

  add(message: ReceivedMessage): void {
    this.left.push(message);
    this.#wake?.();
  }

  /** Nothing comes any more. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake?.();
  }

  async take(count: number): Promise<readonly ReceivedMessage[]> {
    while (this.left.length < count) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.left.splice(0, count);
  }
}
