import type { Properties, ProtocolVersion, QoS } from '@tsmqtt/protocol';

/** Whom a hook is told of. */
export interface HookClient {
  readonly clientId: string;
  /** Who it was found to be; undefined: anonymous. */
  readonly username: string | undefined;
  /** Address, or the path of the Unix socket; `in-process` for a connection inside of this process. */
  readonly address: string;
  readonly port: number;
  /** 3 for MQTT 3.1, 4 for 3.1.1, 5. */
  readonly protocolVersion: ProtocolVersion;
}

/** A client whose credentials are right, before it is let in. */
export interface HookConnect extends HookClient {
  readonly cleanStart: boolean;
  /** Seconds; 0: off. */
  readonly keepAlive: number;
  /** Properties of CONNECT; none before MQTT 5. */
  readonly properties: Properties;
  readonly will:
    | {
        readonly topic: string;
        readonly payload: Uint8Array;
        readonly qos: QoS;
        readonly retain: boolean;
        readonly properties: Properties;
      }
    | undefined;
}

/** A message on its way through the broker. */
export interface HookPublication {
  /** As the broker knows it: with the mount point, and never empty for an alias. */
  readonly topic: string;
  /** Valid during the call: copy it to keep it. */
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** What a client asks of one Topic Filter. */
export interface HookSubscription {
  /** As the client wrote it, `$share/...` included. */
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0: send retained messages, 1: if the subscription is new, 2: never. */
  readonly retainHandling: 0 | 1 | 2;
}

/**
 * A veto. MQTT 5 clients are told the Reason Code (0x80 and above, one that the answering packet may have), others what
 * their version has for it: 5 in CONNACK, 0x80 in SUBACK, nothing for PUBLISH.
 */
export interface HookRefusal {
  readonly refuse: number;
}

/** What `beforeConnect` may change. */
export interface ConnectChanges {
  /** Whose access rules hold for it. */
  readonly username?: string;
  /** Told to an MQTT 5 client as Server Keep Alive; others are not changed. Seconds, 0 to 65,535. */
  readonly keepAlive?: number;
  /** Told to an MQTT 5 client in CONNACK (3.2.2.3.2); others are kept as long too. Seconds, 0xFFFFFFFF for ever. */
  readonly sessionExpiryInterval?: number;
}

/** What `beforePublish` may change. The topic must be a valid Topic Name. */
export type PublicationChanges = Partial<Omit<HookPublication, 'qos' | 'payload'>> & {
  readonly payload?: Uint8Array;
};

/** What `beforeSubscribe` may change. */
export type SubscriptionChanges = Partial<Omit<HookSubscription, 'filter'>>;

/**
 * Where a host program may have its say. `before...` is asked and may refuse or change, after the broker's own checks
 * (credentials, access rules); `after...` is told. All but `beforeConnect` are synchronous, since they stand in the way of
 * every message. What a `before...` throws refuses with 0x80, what an `after...` throws changes nothing; both stand in the
 * log.
 */
export interface BrokerHooks {
  /** May take up to 30 s; 256 may be under way. Beyond either the client is refused as with a busy server (0x89). */
  beforeConnect?(client: HookConnect): Decision<ConnectChanges> | Promise<Decision<ConnectChanges>>;
  /** Also asked about a message of QoS 2 that the client sends again. Not asked about wills and the host program's own. */
  beforePublish?(client: HookClient, publication: HookPublication): Decision<PublicationChanges>;
  beforeSubscribe?(client: HookClient, subscription: HookSubscription): Decision<SubscriptionChanges>;
  afterConnect?(client: HookClient, sessionPresent: boolean): void;
  /** @param reason As in the log; empty for a client that said DISCONNECT. */
  afterDisconnect?(client: HookClient, reason: string): void;
  /**
   * A message was routed: QoS 2 when it is released, wills and the broker's own too.
   *
   * @param clientId Undefined: the host program or the broker itself published it.
   * @param matched Whether any subscription matched.
   */
  afterPublish?(clientId: string | undefined, publication: HookPublication, matched: boolean): void;
  /** @param granted What the client has now. */
  afterSubscribe?(client: HookClient, granted: HookSubscription): void;
  /** @param filter As the client wrote it. */
  afterUnsubscribe?(client: HookClient, filter: string): void;
}

/** Nothing: as it is. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing.
export type Decision<Changes> = void | undefined | HookRefusal | Changes;
