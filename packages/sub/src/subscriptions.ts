import type { Settings } from '@tsmqtt/cli-kit';
import { matches, parseFilter, type SubscriptionRequest } from '@tsmqtt/protocol';

/** What to ask the broker for, in the order of the command line (cli §12.1). */
export function subscriptionRequests(settings: Settings): SubscriptionRequest[] {
  const v5 = settings.protocolVersion === 5;
  return settings.filters.map(({ wide }) => ({
    filter: wide.subscribe,
    qos: settings.qos,
    noLocal: false,
    retainAsPublished: v5 && settings.retainAsPublished,
    retainHandling: v5 ? (settings.retainHandling ?? 0) : 0,
  }));
}

/**
 * Which topics were not asked for although they arrive: what only a filter with `#` inside brings in beyond its
 * meaning (P-18). Undefined where there is no such filter.
 */
export function unwantedTopic(settings: Settings): ((topic: string) => boolean) | undefined {
  const { filters } = settings;
  const widened = filters.filter(({ argument, wide }) => argument.toString() !== wide.subscribe);
  if (widened.length === 0) return undefined;
  // Topics of earlier subscriptions of a kept session match none of these, and are printed as ever (cli §12.1).
  const brought = widened.map(({ wide }) => parseFilter(wide.subscribe).filter);
  return (topic) =>
    brought.some((filter) => matches(filter, topic)) && !filters.some(({ wide }) => wide.matches(topic));
}
