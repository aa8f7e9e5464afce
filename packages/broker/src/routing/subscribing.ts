import { parseFilter, type QoS } from '@tsmqtt/protocol';
import type { Session } from '../session/session.js';
import { Subscription } from './subscription.js';

/** What a subscription is granted. */
export interface SubscriptionGrant {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier: number | undefined;
}

export interface MadeSubscription {
  readonly subscription: Subscription;
  /** The session did not have it before. */
  readonly isNew: boolean;
  readonly isShared: boolean;
}

/**
 * Makes a subscription of a session. The same Topic Filter again replaces what was asked for [MQTT-3.8.4-3]
 * [MQTT311-3.8.4-3]; what is queued stays [MQTT-3.8.4-4].
 *
 * @param key The Topic Filter, `$share/...` and mount point included: what the session knows it by.
 */
export function subscribe(session: Session, key: string, grant: SubscriptionGrant): MadeSubscription {
  const { share, filter } = parseFilter(key);
  const known = session.subscriptions.get(key);
  const subscription = known ?? new Subscription(session, filter);
  subscription.qos = grant.qos;
  subscription.noLocal = grant.noLocal;
  subscription.retainAsPublished = grant.retainAsPublished;
  subscription.identifier = grant.identifier;
  if (known === undefined) {
    session.addSubscription(key, subscription);
    session.engine.tree.add(subscription, share);
  }
  session.saved?.subscribed(key, subscription);
  return { subscription, isNew: known === undefined, isShared: share !== undefined };
}

/** Ends a subscription: false where there is none by this Topic Filter [MQTT-3.10.4-1] [MQTT311-3.10.4-1]. */
export function unsubscribe(session: Session, key: string): boolean {
  const subscription = session.subscriptions.get(key);
  if (subscription === undefined) return false;
  session.removeSubscription(key);
  session.engine.tree.remove(subscription);
  session.replay.stop(subscription);
  session.pressure.unsubscribed();
  return true;
}
