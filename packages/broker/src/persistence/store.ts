import type { ProtocolVersion, QoS } from '@tsmqtt/protocol';

/**
 * What the broker needs of a store so that sessions and retained messages outlive it (broker §8, B-6): numbered records,
 * changed in batches, each of them all or nothing.
 *
 * The engine keeps everything in memory and reads a store once, at the start. Whoever opened a store closes it, after
 * the broker.
 *
 * Every store passes test/store-contract.ts.
 */
export interface Store {
  /**
   * Everything that is saved, by ascending number. Read once, to its end, before the first `commit()`.
   *
   * Throws, or rejects, where what is saved cannot be read in full; the broker does not start then, and what is on disk
   * has to be as it was.
   */
  restore(): Iterable<StoredEntry> | AsyncIterable<StoredEntry>;

  /**
   * Saves a batch: a record by its number in place of the one that had it, or undefined where it goes. Removing what is
   * not there is no error.
   *
   * Resolves when all of it would survive the end of the process at any moment, `kill -9` included. Rejects when none of
   * it was saved: `restore()` would give what it gave before. A store that cannot tell which of the two happened has to
   * find out before it settles. It settles in the end.
   *
   * The next batch is given when this one has settled, never before. After a rejection that is everything that has not
   * been saved, that of the rejected batch included.
   *
   * Map and records are the store's to read until it settles; the bytes of a packet never change.
   */
  commit(batch: Batch): Promise<void>;
}

/** Changes by the number of their record, in no order that means anything. */
export type Batch = ReadonlyMap<number, StoredRecord | undefined>;

export type StoredEntry = readonly [number: number, record: StoredRecord];

/**
 * One record. Its number, a safe integer from 1 on, is given once and kept as long as the record is there. A record refers
 * to others by numbers that are lower than its own, and whatever it refers to is there: by ascending number everything
 * can be built in one pass.
 */
export type StoredRecord =
  | StoredMessage
  | StoredSession
  | StoredSubscription
  | StoredDelivery
  | StoredReceipt
  | StoredRetained;

/** An Application Message: saved once, whoever keeps it, and removed with the last record that refers to it. */
export interface StoredMessage {
  readonly kind: 'message';
  /** Its PUBLISH, whole: topic, payload and properties. Flags and Packet Identifier are those it came with. */
  readonly packet: Uint8Array;
  /** The version that the packet is written in. */
  readonly protocolVersion: ProtocolVersion;
  /** When it expires, in milliseconds since 1970; undefined: never. */
  readonly expiresAt: number | undefined;
}

/** Who somebody is to the rules of who may do what. */
export interface StoredIdentity {
  readonly clientId: string;
  readonly username: string | undefined;
  /** The listener whose rules hold: `Realm.listener`. */
  readonly listener: string;
}

/** A session that outlives its connection. */
export interface StoredSession {
  readonly kind: 'session';
  /** By its last connection. */
  readonly client: StoredIdentity;
  /** What that connection speaks, or spoke: while it is offline, it is treated as such a client. */
  readonly protocolVersion: ProtocolVersion;
  /** Session Expiry Interval in seconds, 1 to 4,294,967,295, which is for ever. */
  readonly expiryInterval: number;
  /**
   * When its last connection ended, in milliseconds since 1970; undefined: its client is connected. Its expiry counts from
   * there, under the configuration of the day.
   */
  readonly offlineSince: number | undefined;
}

export interface StoredSubscription {
  readonly kind: 'subscription';
  readonly session: number;
  /** As it was subscribed, `$share/...` included. */
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Subscription Identifier, 1 to 268,435,455. */
  readonly identifier: number | undefined;
  /**
   * Not all retained messages that it asks for have been sent: the next connection gets all of them, so some of them twice,
   * and then what has a higher number.
   */
  readonly replaying: boolean;
}

/** A message on its way to a client. By ascending number in the order in which they go out. */
export interface StoredDelivery {
  readonly kind: 'delivery';
  readonly session: number;
  readonly message: number;
  /** 0 where `queue_qos0_messages` keeps it for a client that is offline. */
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifier: number | undefined;
  /** 0: not sent yet. */
  readonly packetId: number;
  /** PUBREC came: what is sent again is PUBREL. */
  readonly released: boolean;
}

/** A QoS 2 message that came and that PUBREL has not released. */
export interface StoredReceipt {
  readonly kind: 'receipt';
  readonly session: number;
  readonly message: number;
  readonly packetId: number;
}

/** A retained message, the only one of its topic. */
export interface StoredRetained {
  readonly kind: 'retained';
  readonly message: number;
  /** When it came, in milliseconds since 1970. */
  readonly since: number;
  /** Who published it; undefined: the broker itself. */
  readonly source: StoredIdentity | undefined;
}
