import type { Subscription } from './subscription.js';
import type { SubscriptionTree } from './subscription-tree.js';

/**
 * The tree for people, as SIGUSR2 prints it (broker §6): a line for each level of the Topic Filters, indented by two
 * blanks for each level above it, followed by its subscribers as `(ID, QoS)`, or `(ID, QoS, $share/GROUP)`.
 */
export function subscriptionText(tree: SubscriptionTree): string {
  const lines: string[] = [];
  tree.walk((depth, name, subscriptions) => {
    lines.push([`${'  '.repeat(depth)}${name}`, ...subscriptions.map(subscriberText)].join(' '));
  });
  return lines.map((line) => `${line}\n`).join('');
}

function subscriberText({ session, qos, group }: Subscription): string {
  const share = group === undefined ? '' : `, $share/${group.name}`;
  return `(${session.clientId}, ${qos}${share})`;
}
