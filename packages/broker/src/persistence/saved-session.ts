import type { Identity } from '../auth/identity.js';
import type { Message } from '../routing/message.js';
import type { Subscription } from '../routing/subscription.js';
import type { Delivery } from '../session/delivery.js';
import type { OfflineMessage } from '../session/offline-qos0.js';
import type { Session } from '../session/session.js';
import type { Persistence } from './persistence.js';
import type { StoredDelivery, StoredSession, StoredSubscription } from './store.js';
import { storedIdentity } from './stored-identity.js';

interface Item {
  readonly number: number;
  readonly message: Message;
}

/** What the store is told of one session. Sessions that end with their connection have none (broker §8). */
export class SavedSession {
  readonly #session: Session;
  readonly #persistence: Persistence;
  readonly #number: number;
  readonly #subscriptions = new Map<Subscription, { readonly number: number; record: StoredSubscription }>();
  readonly #deliveries = new Map<Delivery | OfflineMessage, Item>();
  readonly #receipts = new Map<number, Item>();

  /** @param number What the store knows it by; undefined: it is new. */
  constructor(session: Session, persistence: Persistence, number?: number) {
    this.#session = session;
    this.#persistence = persistence;
    this.#number = number ?? persistence.journal.add(this.#record());
  }

  /** Its client came or went, or it ends at another time. */
  changed(): void {
    this.#persistence.journal.put(this.#number, this.#record());
  }

  #record(): StoredSession {
    const { identity, version: protocolVersion, expiryInterval, offlineSince } = this.#session;
    const client = storedIdentity(identity as Identity);
    return { kind: 'session', client, protocolVersion, expiryInterval, offlineSince };
  }

  /** A subscription is made, or made again with other options. */
  subscribed(filter: string, subscription: Subscription): void {
    const { qos, noLocal, retainAsPublished, identifier } = subscription;
    const { journal } = this.#persistence;
    const saved = this.#subscriptions.get(subscription);
    const record: StoredSubscription = {
      kind: 'subscription',
      session: this.#number,
      filter,
      qos,
      noLocal,
      retainAsPublished,
      identifier,
      replaying: saved?.record.replaying ?? false,
    };
    if (saved === undefined) this.#subscriptions.set(subscription, { number: journal.add(record), record });
    else this.#put(saved, record);
  }

  /** Retained messages for a subscription are on their way: its number parts earlier messages from later ones. */
  replayStarts(subscription: Subscription): void {
    const saved = this.#subscriptions.get(subscription);
    if (saved === undefined) return;
    const { journal } = this.#persistence;
    const record = { ...saved.record, replaying: true };
    journal.remove(saved.number);
    this.#subscriptions.set(subscription, { number: journal.add(record), record });
  }

  /** All of them have gone. */
  replayEnds(subscription: Subscription): void {
    const saved = this.#subscriptions.get(subscription);
    if (saved !== undefined) this.#put(saved, { ...saved.record, replaying: false });
  }

  #put(saved: { readonly number: number; record: StoredSubscription }, record: StoredSubscription): void {
    saved.record = record;
    this.#persistence.journal.put(saved.number, record);
  }

  unsubscribed(subscription: Subscription): void {
    const saved = this.#subscriptions.get(subscription);
    if (saved === undefined) return;
    this.#subscriptions.delete(subscription);
    this.#persistence.journal.remove(saved.number);
  }

  /** A message waits for its client. */
  queued(delivery: Delivery | OfflineMessage): void {
    const message = delivery.message as Message;
    const { journal, messages } = this.#persistence;
    const number = journal.add(this.#delivery(delivery, messages.refer(message), 0, false));
    this.#deliveries.set(delivery, { number, message });
  }

  /** It was sent for the first time. */
  sent(delivery: Delivery): void {
    this.#update(delivery, false);
  }

  /** PUBREC came for it. */
  released(delivery: Delivery): void {
    this.#update(delivery, true);
  }

  #update(delivery: Delivery, released: boolean): void {
    const item = this.#deliveries.get(delivery);
    if (item === undefined) return;
    const { journal, messages } = this.#persistence;
    const record = this.#delivery(delivery, messages.numberOf(item.message), delivery.packetId, released);
    journal.put(item.number, record);
  }

  #delivery(
    { qos, retain, subscriptionIdentifier }: Delivery | OfflineMessage,
    message: number,
    packetId: number,
    released: boolean,
  ): StoredDelivery {
    const session = this.#number;
    return { kind: 'delivery', session, message, qos, retain, subscriptionIdentifier, packetId, released };
  }

  /** It is delivered, refused, or cannot be sent. */
  settled(delivery: Delivery | OfflineMessage): void {
    const item = this.#deliveries.get(delivery);
    if (item === undefined) return;
    this.#deliveries.delete(delivery);
    this.#remove(item);
  }

  /** A QoS 2 message came, in place of what had its Packet Identifier. */
  received(packetId: number, message: Message): void {
    const before = this.#receipts.get(packetId);
    const { journal, messages } = this.#persistence;
    const session = this.#number;
    const number = journal.add({ kind: 'receipt', session, message: messages.refer(message), packetId });
    this.#receipts.set(packetId, { number, message });
    if (before !== undefined) this.#remove(before);
  }

  /** It is no longer kept: PUBREL came, or another message has its Packet Identifier. */
  handedOn(packetId: number): void {
    const item = this.#receipts.get(packetId);
    if (item === undefined) return;
    this.#receipts.delete(packetId);
    this.#remove(item);
  }

  #remove({ number, message }: Item): void {
    this.#persistence.journal.remove(number);
    this.#persistence.messages.release(message);
  }

  /** The session ends, or ends with its connection from now on: nothing of it is saved any more. */
  end(): void {
    const { journal } = this.#persistence;
    for (const { number } of this.#subscriptions.values()) journal.remove(number);
    for (const item of this.#deliveries.values()) this.#remove(item);
    for (const item of this.#receipts.values()) this.#remove(item);
    journal.remove(this.#number);
  }

  /** Takes up what the store gave. */
  knownSubscription(subscription: Subscription, number: number, record: StoredSubscription): void {
    this.#subscriptions.set(subscription, { number, record });
  }

  knownDelivery(delivery: Delivery | OfflineMessage, number: number): void {
    this.#deliveries.set(delivery, this.#known(delivery.message as Message, number));
  }

  knownReceipt(packetId: number, message: Message, number: number): void {
    this.#receipts.set(packetId, this.#known(message, number));
  }

  #known(message: Message, number: number): Item {
    this.#persistence.messages.refer(message);
    return { number, message };
  }
}
