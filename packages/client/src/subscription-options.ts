import type { SubscriptionRequest } from '@tsmqtt/protocol';

/** One Topic Filter to subscribe to; what is left out is 0, false and `0` (send retained messages) (3.8.3.1). */
export type Subscription = Pick<SubscriptionRequest, 'filter'> & Partial<SubscriptionRequest>;

/** The same with every Subscription Option said. */
export function withDefaults(subscription: Subscription): SubscriptionRequest {
  return { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, ...subscription };
}
