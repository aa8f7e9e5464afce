import {
  PACKET_NAMES,
  PacketType,
  PeerError,
  type ProtocolVersion,
  type PublishFrame,
  parseFilter,
} from '@tsmqtt/protocol';
import type { Engine } from '../engine.js';
import { frameOf, Message } from '../routing/message.js';
import { Subscription } from '../routing/subscription.js';
import { Delivery } from '../session/delivery.js';
import type { OfflineMessage } from '../session/offline-qos0.js';
import { Session } from '../session/session.js';
import type { Persistence } from './persistence.js';
import { SavedSession } from './saved-session.js';
import type {
  Store,
  StoredDelivery,
  StoredMessage,
  StoredReceipt,
  StoredRecord,
  StoredRetained,
  StoredSession,
  StoredSubscription,
} from './store.js';
import { identityOf } from './stored-identity.js';

/** Builds an engine's state from the records of a store. @throws Error where they do not fit together. */
export async function restore(engine: Engine, persistence: Persistence, store: Store): Promise<void> {
  const restoration = new Restoration(engine, persistence);
  for await (const [number, record] of store.restore()) restoration.take(number, record);
  restoration.finish();
}

class Restoration {
  readonly #engine: Engine;
  readonly #persistence: Persistence;
  readonly #sessions = new Map<number, Session>();
  readonly #messages = new Map<number, Message>();
  /** Retained messages that had not all been sent, and what waits behind them, in order: comes when everything else is there. */
  readonly #replays: (() => void)[] = [];
  readonly #replaying = new Set<Session>();
  /** Records by kind, for the log. */
  readonly #counts = { session: 0, message: 0, retained: 0, subscription: 0, delivery: 0, receipt: 0 };

  constructor(engine: Engine, persistence: Persistence) {
    this.#engine = engine;
    this.#persistence = persistence;
  }

  take(number: number, record: StoredRecord): void {
    this.#persistence.journal.known(number);
    this.#counts[record.kind]++;
    switch (record.kind) {
      case 'message':
        this.#message(number, record);
        break;
      case 'session':
        this.#session(number, record);
        break;
      case 'subscription':
        this.#subscription(number, record);
        break;
      case 'delivery':
        this.#delivery(number, record);
        break;
      case 'receipt':
        this.#receipt(number, record);
        break;
      case 'retained':
        this.#retained(number, record);
    }
  }

  #message(number: number, { packet, protocolVersion, expiresAt }: StoredMessage): void {
    const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
    const frame = publishOf(number, bytes, protocolVersion);
    const message = new Message(frame.topic, frame, expiresAt ?? Number.POSITIVE_INFINITY);
    message.keep();
    this.#messages.set(number, message);
    this.#persistence.messages.known(message, number);
  }

  #session(number: number, { client, protocolVersion, expiryInterval, offlineSince }: StoredSession): void {
    const session = new Session(client.clientId, this.#engine);
    session.identity = identityOf(this.#engine, client);
    session.version = protocolVersion;
    session.expiryInterval = expiryInterval;
    session.offlineSince = offlineSince;
    session.saved = new SavedSession(session, this.#persistence, number);
    this.#sessions.set(number, session);
  }

  #subscription(number: number, record: StoredSubscription): void {
    const session = this.#sessionOf(number, record.session);
    const { share, filter } = parseFilter(record.filter);
    const subscription = new Subscription(session, filter);
    subscription.qos = record.qos;
    subscription.noLocal = record.noLocal;
    subscription.retainAsPublished = record.retainAsPublished;
    subscription.identifier = record.identifier;
    session.addSubscription(record.filter, subscription);
    this.#engine.tree.add(subscription, share);
    session.saved?.knownSubscription(subscription, number, record);
    if (!record.replaying) return;
    this.#replaying.add(session);
    this.#replays.push(() => session.replay.restore(this.#engine.retained.matching(filter), subscription));
  }

  #delivery(number: number, record: StoredDelivery): void {
    const session = this.#sessionOf(number, record.session);
    const message = this.#messageOf(number, record.message);
    const { qos, retain, subscriptionIdentifier, packetId, released } = record;
    const size = message.frame.end - message.frame.frameStart;
    const delivery: Delivery | OfflineMessage =
      qos === 0
        ? { qos, message, retain, subscriptionIdentifier }
        : new Delivery(qos, message, retain, subscriptionIdentifier, size);
    if (packetId === 0 && this.#replaying.has(session))
      this.#replays.push(() => session.behind?.add(delivery));
    else session.restore(delivery, packetId, released);
    session.saved?.knownDelivery(delivery, number);
  }

  #receipt(number: number, record: StoredReceipt): void {
    const session = this.#sessionOf(number, record.session);
    const message = this.#messageOf(number, record.message);
    session.inbound.keep(record.packetId, message);
    session.saved?.knownReceipt(record.packetId, message, number);
  }

  #retained(number: number, record: StoredRetained): void {
    const message = this.#messageOf(number, record.message);
    message.source = record.source && identityOf(this.#engine, record.source);
    this.#engine.retained.restore(message, record.since);
    this.#engine.retained.saved?.known(message, number);
  }

  #sessionOf(number: number, session: number): Session {
    return this.#sessions.get(session) ?? missing(number, session);
  }

  #messageOf(number: number, message: number): Message {
    return this.#messages.get(message) ?? missing(number, message);
  }

  /** Everything was given. */
  finish(): void {
    for (const replay of this.#replays) replay();
    // Sessions last: one that is known now has all that belongs to it.
    for (const session of this.#sessions.values()) this.#engine.sessions.restore(session);
    this.#persistence.messages.dropUnreferred();
    this.#tell();
  }

  /** What there was (broker §5). */
  #tell(): void {
    const { session, message, retained, subscription, delivery, receipt } = this.#counts;
    const { log } = this.#engine;
    log.info(`Restored ${session} clients`);
    log.info(`Restored ${message} base messages`);
    log.info(`Restored ${retained} retained messages`);
    log.info(`Restored ${subscription} subscriptions`);
    log.info(`Restored ${delivery + receipt} client messages`);
  }
}

function publishOf(number: number, bytes: Buffer, version: ProtocolVersion): PublishFrame {
  let why: string | undefined;
  try {
    const packet = frameOf(bytes, version);
    if (packet.type === PacketType.PUBLISH) return packet as PublishFrame;
    why = PACKET_NAMES[packet.type];
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    why = error.message;
  }
  throw new Error(`record ${number} of the store is no PUBLISH: ${why}`);
}

function missing(number: number, other: number): never {
  throw new Error(`record ${number} of the store refers to record ${other}, which is not there`);
}
