import { type ProtocolVersion, property, type Will } from '@tsmqtt/protocol';
import { Right } from '../auth/access-list.js';
import type { Identity } from '../auth/identity.js';
import { type Due, DueQueue } from '../due-queue.js';
import type { Engine } from '../engine.js';
import { composeFrame, expiryOf, isEndlessExpiry, Message } from '../routing/message.js';
import type { Session } from './session.js';

interface Delayed extends Due {
  readonly clientId: string;
  readonly will: Will;
  readonly version: ProtocolVersion;
  readonly identity: Identity | undefined;
}

/** Wills of connections that ended (3.1.2.5), those that wait out their Will Delay Interval (3.1.3.2.2) among them. */
export class WillStore {
  readonly #engine: Engine;
  readonly #delayed = new Map<string, Delayed>();
  readonly #due = new DueQueue<Delayed>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * A connection ended so that its will is due [MQTT-3.1.2-8] [MQTT311-3.1.2-8].
   *
   * @param lifetime The session's, in seconds: a longer delay is cut to it, but 0 lets the full delay pass (broker §9.5).
   */
  due({ clientId, identity }: Session, will: Will, version: ProtocolVersion, lifetime: number): void {
    const delay = property(will.properties, 'willDelayInterval') ?? 0;
    if (delay === 0) {
      this.#publish(clientId, will, version, identity);
      return;
    }
    const seconds = lifetime === 0 ? delay : Math.min(delay, lifetime);
    const delayed = { clientId, will, version, identity, dueAt: 0, duePosition: -1 };
    this.#delayed.set(clientId, delayed);
    this.#due.set(delayed, this.#engine.clock.now() + seconds * 1000);
  }

  /** The client is back in time [MQTT-3.1.3-9]; with Clean Start too (broker §9.5). */
  cancel(clientId: string): void {
    const delayed = this.#delayed.get(clientId);
    if (delayed === undefined) return;
    this.#delayed.delete(clientId);
    this.#due.delete(delayed);
  }

  sweep(now: number): void {
    for (let delayed = this.#due.take(now); delayed !== undefined; delayed = this.#due.take(now)) {
      const { clientId, will, version, identity } = delayed;
      // [MQTT-3.1.2-10]
      this.#delayed.delete(clientId);
      this.#publish(clientId, will, version, identity);
    }
  }

  /**
   * The broker ends: delayed wills do not outlive it, so all are sent (broker §6), those of connected clients too. All
   * of them go out before the first client is closed, so that everybody who is there gets every one.
   */
  publishAll(): void {
    for (const connection of this.#engine.connections) {
      const { will, clientId, version, session } = connection;
      connection.will = undefined;
      if (will !== undefined) this.#publish(clientId, will, version, session?.identity);
    }
    this.sweep(Number.POSITIVE_INFINITY);
  }

  #publish(clientId: string, will: Will, version: ProtocolVersion, identity: Identity | undefined): void {
    const { topic, payload, qos, retain } = will;
    // What the client could not publish is dropped when it is due (broker §9.5).
    if (identity?.may(Right.WRITE, topic) === false) return;
    const properties = will.properties.filter(
      (entry) => entry.name !== 'willDelayInterval' && !isEndlessExpiry(entry),
    );
    // Retained or not as it says [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT311-3.1.2-16] [MQTT311-3.1.2-17], User Properties in
    // their order [MQTT-3.1.3-10].
    const frame = composeFrame(topic, payload, qos, retain, properties, version);
    const message = new Message(topic, frame, expiryOf(properties, this.#engine.clock.now()));
    // Its own message: a session that goes on does not get it by a subscription with No Local [MQTT-3.8.3-3].
    this.#engine.router.publish(message, this.#engine.sessions.get(clientId), identity);
  }
}
