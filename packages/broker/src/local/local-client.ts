import { type Acknowledgement, PacketType, type Properties, type QoS, ReasonCode } from '@tsmqtt/protocol';
import { Identity } from '../auth/identity.js';
import type { Realm } from '../auth/realm.js';
import { NO_SECRETS } from '../auth/secrets.js';
import type { CloseReason } from '../connection/close-reason-table.js';
import type { Engine } from '../engine.js';
import { whenSaved } from '../persistence/when-saved.js';
import type { WaitingPublisher } from '../routing/back-pressure.js';
import { composeFrame, expiryOf, Message } from '../routing/message.js';
import { type SubscriptionGrant, subscribe, unsubscribe } from '../routing/subscribing.js';
import { Session, UNLIMITED_WINDOW } from '../session/session.js';
import type { SessionLink } from '../session/session-link.js';
import { takeOver } from '../session/take-over.js';

/** A message as a client inside of this process gets it. */
export interface LocalMessage {
  readonly topic: string;
  /** Its own memory: may be kept, must not be changed. */
  readonly payload: Buffer;
  /** QoS of the delivery. */
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
  /** 1 to 65,535, for `acknowledge()`; 0 with QoS 0. */
  readonly packetId: number;
  /** It was given before, on an earlier attachment of the session. */
  readonly dup: boolean;
  /** Subscription Identifier of the subscription that brought it. */
  readonly subscriptionIdentifier: number | undefined;
}

/** A message that a client inside of this process publishes. */
export interface LocalPublication {
  /** A valid Topic Name (4.7.3). */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
}

export interface LocalClientOptions {
  /**
   * Client Identifier under which its session is known to the broker, kept over attachments and taken over like any other;
   * undefined: nobody else knows the session, and it ends with the client.
   */
  readonly clientId?: string;
  /** Seconds that the session is kept without this client; default 0. */
  readonly sessionExpiryInterval?: number;
  /** Messages of QoS 1 and 2 that may be unacknowledged at a time; default: no limit. */
  readonly receiveMaximum?: number;
  /** Called for every message, also while `attach()` runs. */
  readonly onMessage: (message: LocalMessage) => void;
  /** Another client has taken the session over, or the broker ended it. */
  readonly onClosed?: (reason: CloseReason) => void;
}

interface Waiting {
  readonly message: Message;
  readonly routed: (matched: boolean) => void;
  readonly failed: (error: Error) => void;
}

/** No rule holds. */
const TRUSTED: Realm = {
  listener: '',
  anonymous: true,
  allowZeroLengthClientId: true,
  autoIdPrefix: '',
  secrets: NO_SECRETS,
};

/** Publications that may wait for subscribers to drain. */
const LARGEST_QUEUE = 1000;

/**
 * A client without a connection: what the host program, and one day a bridge, publishes and subscribes by. It is trusted:
 * nobody asks who it is, and no rule about topics holds for it. Everything else does: windows, queues, back-pressure, the
 * store.
 */
export class LocalClient implements WaitingPublisher {
  readonly #engine: Engine;
  readonly #options: LocalClientOptions;
  readonly #session: Session;
  readonly #link: LocalLink;
  #queue: Waiting[] = [];
  #heldBy: Session | undefined;
  #closed = false;

  /** Attaches to its session: what waits there comes at once. */
  constructor(engine: Engine, options: LocalClientOptions) {
    this.#engine = engine;
    this.#options = options;
    const { clientId, sessionExpiryInterval = 0, receiveMaximum = UNLIMITED_WINDOW } = options;
    this.#link = new LocalLink(engine, options.onMessage, (reason) => this.#ended(reason));
    let present = false;
    if (clientId === undefined) {
      this.#session = new Session('', engine);
    } else {
      takeOver(engine, clientId, false);
      ({ session: this.#session, present } = engine.sessions.open(clientId, false));
    }
    const identity = new Identity(TRUSTED, clientId ?? '', undefined, engine.log);
    this.#session.begin(clientId === undefined ? 0 : sessionExpiryInterval, identity, this.#link.version);
    this.#session.attach(this.#link, receiveMaximum, present);
  }

  /** Makes a subscription, or makes it again with other options. Retained messages come if `retained` says so. */
  subscribe(filter: string, grant: SubscriptionGrant, retained: boolean): void {
    const { subscription, isShared } = subscribe(this.#session, filter, grant);
    if (!retained || isShared) return;
    this.#session.replay.start(this.#engine.retained.matching(subscription.filter), subscription);
    this.#session.replay.pump();
  }

  /** False where there is no such subscription. */
  unsubscribe(filter: string): boolean {
    return unsubscribe(this.#session, filter);
  }

  /**
   * Publishes a message, after those before it. Waits while a subscriber that would get it has to drain (broker B-10),
   * and for the store if there is one.
   *
   * @returns Whether any subscription matched. Rejects where 1,000 are waiting, where the client has ended, and where the
   *   store could not save it.
   */
  async publish({ topic, payload, qos, retain, properties }: LocalPublication): Promise<boolean> {
    if (this.#closed) throw ended();
    const frame = composeFrame(topic, payload, qos, retain, properties, 5);
    const message = new Message(topic, frame, expiryOf(properties, this.#engine.clock.now()));
    // A handler or hook of the host program may be publishing this: not in the middle of the message that it was told of.
    await undefined;
    if (this.#closed) throw ended();
    const matched = await this.#inTurn(message);
    await whenSaved(this.#engine.persistence?.journal);
    return matched;
  }

  #inTurn(message: Message): Promise<boolean> {
    if (this.#queue.length === 0 && !this.#holds(message)) return Promise.resolve(this.#route(message));
    if (this.#queue.length >= LARGEST_QUEUE) {
      return Promise.reject(new Error(`${LARGEST_QUEUE} messages wait for slow subscribers already`));
    }
    return new Promise((routed, failed) => this.#queue.push({ message, routed, failed }));
  }

  /** Whether somebody has to drain first; then `resumeLater()` is called when that has happened. */
  #holds(message: Message): boolean {
    const held = this.#engine.router.holding(message.topic, this.#session);
    this.#heldBy = held;
    held?.pressure.wait(this);
    return held !== undefined;
  }

  #route(message: Message): boolean {
    return this.#engine.router.publish(message, this.#session);
  }

  /** WaitingPublisher. */
  resumeLater(): void {
    setImmediate(() => this.#resume());
  }

  #resume(): void {
    let next = this.#queue[0];
    while (next !== undefined && !this.#holds(next.message)) {
      this.#queue.shift();
      next.routed(this.#route(next.message));
      next = this.#queue[0];
    }
  }

  /** A message of QoS 1 or 2 has arrived where it was to go: the next may come. */
  acknowledge(packetId: number): void {
    const qos = this.#link.take(packetId);
    if (qos === undefined) return;
    const { outbound, pressure } = this.#session;
    if (qos === 1) outbound.acknowledge(answer(PacketType.PUBACK, packetId));
    else {
      outbound.acknowledge(answer(PacketType.PUBREC, packetId));
      outbound.acknowledge(answer(PacketType.PUBCOMP, packetId));
    }
    pressure.drained();
  }

  /** Ends it; its session stays as long as its expiry says. */
  close(): void {
    this.#link.close('disconnected');
  }

  #ended(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#heldBy?.pressure.forget(this);
    const queue = this.#queue;
    this.#queue = [];
    for (const { failed } of queue) failed(ended());
    this.#engine.sessions.disconnected(this.#session);
    this.#options.onClosed?.(reason);
  }
}

/** What the session has instead of a connection. */
class LocalLink implements SessionLink {
  readonly version = 5;
  readonly will = undefined;
  /** Whoever gets a message takes it. */
  readonly backlog = 0;
  progress = 0;
  readonly gate = undefined;
  /** QoS of what is unacknowledged, by Packet Identifier. */
  readonly #unacknowledged = new Map<number, 1 | 2>();
  #closed = false;

  readonly order: number;

  constructor(
    readonly engine: Engine,
    readonly onMessage: (message: LocalMessage) => void,
    readonly onClosed: (reason: CloseReason) => void,
  ) {
    this.order = ++engine.connects;
  }

  publish(
    message: Message,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
    subscriptionIdentifier: number | undefined,
  ): boolean {
    const now = this.engine.clock.now();
    // What was given before may be given again [MQTT-4.4.0-1].
    if (message.expiresAt <= now && !dup) return false;
    const left = message.secondsLeft(now);
    if (qos !== 0) this.#unacknowledged.set(packetId, qos);
    message.keep();
    const { payload, properties } = message.frame;
    this.onMessage({
      topic: message.topic,
      payload,
      qos,
      retain,
      // An alias means nothing here; of the expiry there is as much as is left [MQTT-3.3.2-6].
      properties: properties.flatMap((entry) => {
        if (entry.name === 'topicAlias') return [];
        return entry.name === 'messageExpiryInterval' && left !== undefined
          ? [{ ...entry, value: left }]
          : [entry];
      }),
      packetId,
      dup,
      subscriptionIdentifier,
    });
    return true;
  }

  /** QoS of an unacknowledged message, which is no longer one. */
  take(packetId: number): 1 | 2 | undefined {
    const qos = this.#unacknowledged.get(packetId);
    this.#unacknowledged.delete(packetId);
    return qos;
  }

  /** There is nobody to be told: what was released is done. */
  pubrel(): void {}

  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClosed(reason);
  }
}

function ended(): Error {
  return new Error('the client has ended');
}

function answer(
  type: typeof PacketType.PUBACK | typeof PacketType.PUBREC | typeof PacketType.PUBCOMP,
  packetId: number,
): Acknowledgement {
  return { type, packetId, reasonCode: ReasonCode.SUCCESS, properties: [] };
}
