import type { Identity } from '../auth/identity.js';
import { DueQueue } from '../due-queue.js';
import type { SavedRetained } from '../persistence/saved-retained.js';
import type { Message } from './message.js';
import { RetainedCursor } from './retained-cursor.js';
import { endOf, RetainedLevel } from './retained-level.js';
import { countPlaces, placeOf, placesTo, tidy } from './retained-tree.js';

/** Retained messages, one a topic (3.3.1.3), by the levels of their Topic Names. */
export class RetainedStore {
  /** What is saved of it; undefined: nothing. */
  saved: SavedRetained | undefined;
  readonly #root = new RetainedLevel();
  /** Those that will expire, so that a sweep does not look at every message. */
  readonly #expiring = new DueQueue<RetainedLevel>();
  #lifetime: number;
  #count = 0;
  #bytes = 0;
  #order = 0;

  /** @param lifetime Milliseconds after which every message vanishes, those below `$SYS` aside: `retain_expiry_interval`. */
  constructor(lifetime = Number.POSITIVE_INFINITY) {
    this.#lifetime = lifetime;
  }

  get size(): number {
    return this.#count;
  }

  /** Bytes of the payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Places held: the memory that the store takes. */
  get levels(): number {
    return countPlaces(this.#root);
  }

  /** Another lifetime, for what is there already too. */
  set lifetime(lifetime: number) {
    if (lifetime === this.#lifetime) return;
    this.#lifetime = lifetime;
    const levels = [this.#root];
    for (let level = levels.pop(); level !== undefined; level = levels.pop()) {
      if (level.message !== undefined) this.#setDue(level, level.message);
      for (const child of level.children?.values() ?? []) levels.push(endOf(child));
    }
  }

  /**
   * Takes the place of what the topic had [MQTT-3.3.1-5] [MQTT311-3.3.1-5] [MQTT311-3.3.1-7]; an empty payload removes it
   * and is not stored [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT311-3.3.1-10] [MQTT311-3.3.1-11]. Belongs to no session, so no
   * session's end removes it [MQTT311-3.1.2-7].
   */
  publish(message: Message, now: number, source?: Identity): void {
    if (message.frame.payloadLength === 0) {
      this.clear(message.topic);
      this.saved?.cleared();
      return;
    }
    message.keep();
    message.source = source;
    this.restore(message, now);
    this.saved?.set(message, now);
  }

  /** Removes what the topic has. */
  clear(topic: string): void {
    const stops = placesTo(this.#root, topic);
    const end = stops?.at(-1);
    if (stops === undefined || end === undefined) return;
    this.#take(end.level);
    tidy(stops);
  }

  /** Takes a message that is saved already, or need not be; retained since `now`. */
  restore(message: Message, now: number): void {
    const level = placeOf(this.#root, message.topic);
    this.#take(level);
    this.#count++;
    level.message = message;
    message.retained = true;
    level.order = ++this.#order;
    level.since = now;
    this.#bytes += message.frame.payloadLength;
    this.#setDue(level, message);
  }

  /** Takes the message of a level out. */
  #take(level: RetainedLevel): void {
    const { message } = level;
    if (message === undefined) return;
    message.retained = false;
    this.saved?.unset(message);
    this.#count--;
    this.#bytes -= message.frame.payloadLength;
    level.message = undefined;
    this.#expiring.delete(level);
  }

  #setDue(level: RetainedLevel, message: Message): void {
    // The broker's own values stay: it does not publish again what has not changed.
    const limit = message.topic.startsWith('$SYS/') ? Number.POSITIVE_INFINITY : level.since + this.#lifetime;
    const dueAt = Math.min(message.expiresAt, limit);
    if (dueAt === Number.POSITIVE_INFINITY) this.#expiring.delete(level);
    else this.#expiring.set(level, dueAt);
  }

  /** Removes what has expired. */
  expire(now: number): void {
    for (let level = this.#expiring.take(now); level !== undefined; level = this.#expiring.take(now)) {
      this.clear((level.message as Message).topic);
    }
  }

  /** Finds the retained messages whose topic the filter matches, as they stand now. */
  matching(filter: string): RetainedCursor {
    return new RetainedCursor(this.#root, filter, this.#order);
  }
}
