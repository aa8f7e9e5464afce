import { InboundFlow, OutboundFlow, type ProtocolVersion, type QoS } from '@tsmqtt/protocol';
import { Right } from '../auth/access-list.js';
import type { Identity } from '../auth/identity.js';
import type { Due } from '../due-queue.js';
import type { Engine } from '../engine.js';
import { SavedSession } from '../persistence/saved-session.js';
import { BackPressure } from '../routing/back-pressure.js';
import type { BehindReplay, WaitingMessage } from '../routing/behind-replay.js';
import type { Message } from '../routing/message.js';
import { RetainedReplay } from '../routing/retained-replay.js';
import type { Subscription } from '../routing/subscription.js';
import type { BrokerSettings } from '../settings.js';
import { Delivery } from './delivery.js';
import { type OfflineMessage, OfflineQoS0 } from './offline-qos0.js';
import { Sending } from './sending.js';
import type { SessionLink } from './session-link.js';

/** Largest window: every Packet Identifier. */
export const UNLIMITED_WINDOW = 65_535;

/** Window towards a client of 3.x, which cannot say what it takes: `max_inflight_messages` (broker §9.10). */
export function windowOf3({ maxInflightMessages }: BrokerSettings): number {
  return maxInflightMessages === 0 ? UNLIMITED_WINDOW : maxInflightMessages;
}

/** Session Expiry Interval that never ends (3.1.2.11.2). */
export const NEVER = 0xffff_ffff;

/** What an unreleased message costs besides its topic and payload, about. */
const MESSAGE_OVERHEAD = 512;

const bytesOf = ({ topic, frame }: Message) => MESSAGE_OVERHEAD + topic.length + frame.payloadLength;

/**
 * The state that belongs to a Client Identifier and outlives connections as long as its expiry says (4.1): its
 * subscriptions and the messages that are under way to and from it.
 */
export class Session implements Due {
  /** What its client is there by; undefined: it is offline. */
  connection: SessionLink | undefined;
  /** Who its client was when it last connected; undefined: nobody has since the start, so that nothing is refused yet. */
  identity: Identity | undefined;
  readonly outbound: OutboundFlow<Delivery>;
  readonly inbound = new InboundFlow<Message>(bytesOf);
  readonly pressure: BackPressure;
  readonly replay: RetainedReplay;
  /** What waits until retained messages have been sent; undefined: none are on their way. */
  behind: BehindReplay | undefined;
  /** What its last connection speaks, or spoke. */
  version: ProtocolVersion = 5;
  /** The last message that went to it, by the router's count: for `allow_duplicate_messages false`. */
  routed = 0;
  /** Seconds it is kept after its connection ended; 0: it ends with it. */
  expiryInterval = 0;
  /** What is saved of it; undefined: it ends with its connection, or nothing is saved. */
  saved: SavedSession | undefined;
  /** It is over; its subscriptions may be found for a while yet. */
  ended = false;
  /** When its last connection ended, in milliseconds since 1970; undefined while it has one. */
  offlineSince: number | undefined;
  /** The last moment at which it is still there, for a session that is offline and will expire. The registry's. */
  dueAt = 0;
  duePosition = -1;

  #subscriptions: Map<string, Subscription> | undefined;
  #offlineQoS0: OfflineQoS0 | undefined;

  constructor(
    readonly clientId: string,
    readonly engine: Engine,
  ) {
    this.outbound = new OutboundFlow<Delivery>(new Sending(this));
    this.pressure = new BackPressure(this);
    this.replay = new RetainedReplay(this);
  }

  /** Whether it outlives its connection. */
  get persistent(): boolean {
    return this.expiryInterval > 0;
  }

  /** By Topic Filter as it was subscribed, `$share/...` included. */
  get subscriptions(): ReadonlyMap<string, Subscription> {
    this.#subscriptions ??= new Map();
    return this.#subscriptions;
  }

  /** QoS 0 messages kept while it is offline. */
  get waitingQoS0(): number {
    return (this.#offlineQoS0?.length ?? 0) + (this.behind?.qos0 ?? 0);
  }

  /** Every message it holds: on the way to its client, kept while that is offline, and received but not released. */
  forEachMessage(visit: (message: Message) => void): void {
    this.outbound.forEach(({ message }) => {
      if (message !== undefined) visit(message);
    });
    this.#offlineQoS0?.forEach(visit);
    for (const { message } of this.behind?.messages() ?? []) visit(message as Message);
    this.inbound.forEach(visit);
  }

  /** Bytes of their payloads. */
  get waitingQoS0Bytes(): number {
    return (this.#offlineQoS0?.bytes ?? 0) + (this.behind?.qos0Bytes ?? 0);
  }

  addSubscription(filter: string, subscription: Subscription): void {
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(filter, subscription);
  }

  removeSubscription(filter: string): void {
    const subscription = this.#subscriptions?.get(filter);
    if (subscription !== undefined) this.saved?.unsubscribed(subscription);
    this.#subscriptions?.delete(filter);
  }

  /** A client is about to be told that it has this session, which is kept for `expiryInterval` seconds after it. */
  begin(expiryInterval: number, identity: Identity, version: ProtocolVersion): void {
    this.version = version;
    this.expiryInterval = expiryInterval;
    // A session that goes on adopts the rules of the listener it comes back through (broker §4.6).
    this.identity = identity;
    this.offlineSince = undefined;
    const { persistence } = this.engine;
    if (persistence === undefined) return;
    if (!this.persistent) this.#forget();
    else if (this.saved === undefined) this.saved = new SavedSession(this, persistence);
    else this.saved.changed();
  }

  #forget(): void {
    this.saved?.end();
    this.saved = undefined;
  }

  /** Takes a message back that an earlier process had, in order. */
  restore(message: Delivery | OfflineMessage, packetId: number, released: boolean): void {
    if (message.qos !== 0) {
      this.outbound.restore(message, packetId, released);
      return;
    }
    this.#offlineQoS0 ??= new OfflineQoS0();
    this.#offlineQoS0.add(message);
  }

  /** A client connected and was told whether the session was present; what waited goes out. */
  attach(connection: SessionLink, window: number, sessionPresent: boolean): void {
    this.connection = connection;
    this.pressure.reset();
    this.outbound.limit(window, this.#maxInflightBytes);
    this.outbound.connected(window, sessionPresent);
    this.#offlineQoS0?.drain((waiting) => this.sendWaiting(waiting));
    this.#offlineQoS0 = undefined;
    this.replay.goOn();
    // With a smaller window there may be more than it holds: publishers wait then.
    this.pressure.check();
  }

  /** A message that had to wait for others has its turn, be it queued again. */
  sendWaiting(waiting: WaitingMessage): void {
    if (waiting.qos !== 0) {
      this.outbound.send(waiting);
      return;
    }
    const { message, retain, subscriptionIdentifier } = waiting;
    if (this.mayRead(message)) this.connection?.publish(message, 0, retain, false, 0, subscriptionIdentifier);
    this.saved?.settled(waiting);
  }

  get #maxInflightBytes(): number {
    const { maxInflightBytes } = this.engine.settings;
    return maxInflightBytes === 0 ? Number.POSITIVE_INFINITY : maxInflightBytes;
  }

  /** Other settings are in force. What MQTT 5 clients were told at CONNECT stays (broker T-6). */
  settingsChanged(): void {
    const window = this.version === 5 ? this.outbound.window : windowOf3(this.engine.settings);
    this.outbound.limit(window, this.#maxInflightBytes);
    this.pressure.drained();
    this.pressure.check();
  }

  /** The connection is gone. What was retained for a new subscription and has not been sent goes on with the next one. */
  detach(): void {
    this.connection = undefined;
    this.outbound.disconnected();
    if (!this.#keepsQoS0()) this.#dropQoS0();
    this.pressure.end();
  }

  #dropQoS0(): void {
    for (const waiting of this.behind?.messages() ?? []) {
      if (waiting.qos !== 0) continue;
      this.behind?.take(waiting);
      this.saved?.settled(waiting);
    }
  }

  /** The session ends: nothing of it is left. */
  clear(): void {
    this.ended = true;
    this.#forget();
    this.outbound.clear();
    this.inbound.clear();
    this.replay.clear();
    this.#offlineQoS0 = undefined;
    this.pressure.end();
  }

  /** A message for one of its subscriptions, or from the broker itself. */
  deliver(message: Message, qos: QoS, retain: boolean, identifier: number | undefined): void {
    if (this.ended || !this.mayRead(message)) return;
    if (qos === 0) this.#deliverQoS0(message, retain, identifier);
    else if (this.pressure.dropsKept()) this.pressure.dropped();
    else this.#deliverAcknowledged(message, qos, retain, identifier, this.behind);
  }

  /** A retained message for a new subscription: it has RETAIN set [MQTT311-3.3.1-8], comes before what waits, and is not dropped. */
  deliverRetained(message: Message, qos: QoS, identifier: number | undefined): void {
    const { connection } = this;
    if (connection === undefined || !this.mayRead(message)) return;
    if (qos !== 0) this.#deliverAcknowledged(message, qos, true, identifier, undefined);
    else {
      connection.publish(message, 0, true, false, 0, identifier);
      this.pressure.checkOutput(connection);
    }
  }

  /** What it may not read vanishes without a word (broker §4.4). */
  mayRead(message: Message): boolean {
    return this.identity === undefined || this.identity.may(Right.READ, message.topic);
  }

  #deliverQoS0(message: Message, retain: boolean, identifier: number | undefined): void {
    const { behind, connection, pressure } = this;
    if (connection === undefined || (behind !== undefined && !behind.leaving)) {
      this.#keepQoS0(message, retain, identifier);
      return;
    }
    if (pressure.dropsQoS0()) {
      pressure.dropped();
      return;
    }
    // [MQTT-4.3.1-1] [MQTT311-4.3.1-1]
    connection.publish(message, 0, retain, false, 0, identifier);
    pressure.checkOutput(connection);
  }

  /** It has to wait: for the client, or behind retained messages. */
  #keepQoS0(message: Message, retain: boolean, identifier: number | undefined): void {
    const { connection, pressure } = this;
    const keeps = this.#keepsQoS0();
    if (connection === undefined && !keeps) return;
    if (connection === undefined ? pressure.dropsKept() : pressure.dropsQoS0()) {
      pressure.dropped();
      return;
    }
    message.keep();
    const waiting: OfflineMessage = { qos: 0, message, retain, subscriptionIdentifier: identifier };
    if (this.behind !== undefined) this.behind.add(waiting);
    else {
      this.#offlineQoS0 ??= new OfflineQoS0();
      this.#offlineQoS0.add(waiting);
    }
    // While there is a client too: it may be gone before the message has its turn.
    if (keeps) this.saved?.queued(waiting);
    pressure.check();
  }

  #keepsQoS0(): boolean {
    return this.persistent && this.engine.settings.queueQos0Messages;
  }

  #deliverAcknowledged(
    message: Message,
    qos: 1 | 2,
    retain: boolean,
    identifier: number | undefined,
    behind: BehindReplay | undefined,
  ): void {
    // Kept for a client that is offline too [MQTT311-3.1.2-5].
    const size = message.frame.end - message.frame.frameStart;
    if (this.saved !== undefined) message.keep();
    const delivery = new Delivery(qos, message, retain, identifier, size);
    this.saved?.queued(delivery);
    if (behind === undefined || behind.leaving) this.outbound.send(delivery);
    else behind.add(delivery);
    // Whatever was not sent for good has to outlive the chunk it came in.
    if (delivery.message !== undefined) message.keep();
    this.pressure.check();
  }
}
