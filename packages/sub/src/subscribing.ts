import type { Reporter, Settings } from '@tsmqtt/cli-kit';
import { type Client, ClientError } from '@tsmqtt/client';
import { reasonText } from '@tsmqtt/protocol';
import type { Ending } from './ending.js';
import { subscriptionRequests } from './subscriptions.js';

/** Codes in SUBACK from here on are refusals. */
const FIRST_REFUSAL = 0x80;

/** Asks for everything, on every new connection again (cli §12.1); tells `answered` how the answer ends the run, if it does. */
export function subscribe(
  client: Client,
  settings: Settings,
  reporter: Reporter,
  answered: (ending: Ending | undefined) => void,
): void {
  const { filters, unsubscribe, properties } = settings;
  if (filters.length > 0) {
    client
      .subscribe(subscriptionRequests(settings), { properties: properties.SUBSCRIBE })
      .then(({ reasonCodes }) => answered(endingOfSuback(reasonCodes, settings, reporter)))
      .catch(lostOnTheWay);
  }
  // One packet each; their results are ignored (cli §12.2).
  for (const filter of unsubscribe)
    client.unsubscribe([filter], { properties: properties.UNSUBSCRIBE }).catch(lostOnTheWay);
}

/** What SUBACK says of the subscriptions (cli §12.2, P-2). */
function endingOfSuback(
  reasonCodes: readonly number[],
  { filters, exitAfterSuback }: Settings,
  reporter: Reporter,
): Ending | undefined {
  const refused = reasonCodes.filter((code) => code >= FIRST_REFUSAL);
  if (refused.length > 0 && refused.length === reasonCodes.length) {
    return { exitCode: refused[0]!, text: 'All subscription requests were denied.\n' };
  }
  reasonCodes.forEach((code, index) => {
    if (code < FIRST_REFUSAL) return;
    const filter = filters[index]?.argument.toString();
    reporter.report(`Warning: Subscription to '${filter}' was refused: ${reasonText(code)}.\n`);
  });
  return exitAfterSuback ? { exitCode: 0 } : undefined;
}

/** A request that the connection did not outlive is made again on the next one. */
function lostOnTheWay(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
