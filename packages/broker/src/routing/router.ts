import type { Identity } from '../auth/identity.js';
import { isControlTopic } from '../control/control-topics.js';
import type { Engine } from '../engine.js';
import type { Session } from '../session/session.js';
import type { Message } from './message.js';
import type { Subscription } from './subscription.js';

/** Units of work that it takes to store a retained message, where sending it on to a subscriber is one. */
const STORING = 4;

/** Takes messages from whoever publishes to whoever subscribed. */
export class Router {
  readonly #engine: Engine;
  /** Messages delivered while `allow_duplicate_messages` was false. */
  #routed = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * A subscriber that has to drain before `origin` may publish to this topic (broker B-10); undefined: go ahead.
   * Nobody is held up by itself.
   */
  holding(topic: string, origin: Session): Session | undefined {
    if (this.#engine.blockedSessions.size === 0) return undefined;
    const route = this.#engine.tree.match(topic);
    for (const { session } of route.subscriptions) {
      if (session.pressure.holds && session !== origin) return session;
    }
    for (const group of route.groups) {
      const session = group.peek()?.session;
      if (session?.pressure.holds === true && session !== origin) return session;
    }
    return undefined;
  }

  /**
   * A message that was published: to its subscribers, or below `$CONTROL/` to an endpoint, which is as good as a
   * subscriber (broker §10.6). Parameters and result as those of `route()`.
   */
  publish(message: Message, origin: Session | undefined, source?: Identity): boolean {
    if (!isControlTopic(message.topic)) return this.route(message, origin, source);
    this.#engine.control.receive(message, origin);
    return true;
  }

  /**
   * Delivers a message: retained first, then live (broker §9.9); to the session of everybody who has a matching
   * subscription, once for each [MQTT-4.5.0-1] [MQTT-3.3.2-3] [MQTT-3.3.4-2] [MQTT311-4.5.0-1] [MQTT311-3.3.2-3]
   * [MQTT311-3.3.5-1].
   *
   * @param origin The session it came from; undefined for the broker's own.
   * @param source Who published it; default: the client of that session.
   * @returns Whether any subscription matched, even one that does not get it (broker T-20).
   */
  route(message: Message, origin: Session | undefined, source?: Identity): boolean {
    const engine = this.#engine;
    // [MQTT-3.3.1-8] [MQTT311-3.3.1-12]
    if (message.frame.retain) {
      engine.retained.publish(message, engine.clock.now(), source ?? origin?.identity);
      engine.work.left -= STORING;
    }
    const route = engine.tree.match(message.topic);
    if (route.subscriptions.length > 1) engine.work.left -= route.subscriptions.length;
    // By its own number: a line of the log may be routed in the middle of it.
    const number = engine.settings.allowDuplicateMessages ? 0 : ++this.#routed;
    for (const subscription of route.subscriptions) {
      // [MQTT-3.8.3-3]
      if (subscription.noLocal && subscription.session === origin) continue;
      if (number > 0 && isSecondCopy(subscription.session, number)) continue;
      this.#deliver(message, subscription);
    }
    for (const group of route.groups) {
      // To this one alone, whatever becomes of it [MQTT-4.8.2-4] [MQTT-4.8.2-5] [MQTT-4.8.2-6].
      const member = group.take();
      if (member !== undefined) this.#deliver(message, member);
    }
    const matched = route.subscriptions.length > 0 || route.groups.length > 0;
    if (!matched && origin !== undefined) engine.counters.unmatched++;
    engine.hooks?.afterPublish(message, (source ?? origin?.identity)?.clientId, matched);
    return matched;
  }

  #deliver(message: Message, subscription: Subscription): void {
    const qos = this.#engine.deliveryQoS(message, subscription);
    // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT311-3.3.1-9]
    const retain = subscription.retainAsPublished && message.frame.retain;
    // [MQTT-3.3.4-3] [MQTT-3.3.4-5] [MQTT-4.8.2-3]
    subscription.session.deliver(message, qos, retain, subscription.identifier);
  }
}

/** `allow_duplicate_messages false`: clients of MQTT 3 get the copy of their first match alone (broker T-43). */
function isSecondCopy(session: Session, number: number): boolean {
  if (session.version === 5) return false;
  if (session.routed === number) return true;
  session.routed = number;
  return false;
}
