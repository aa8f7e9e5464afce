import type { Settings } from '@tsmqtt/cli-kit';
import { matches, type Publish } from '@tsmqtt/protocol';
import { unwantedTopic } from './subscriptions.js';

/** What becomes of a message (cli §12.3). */
export const Fate = { PRINT: 0, SKIP: 1, HIDE: 2, FINISH: 3 } as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

export type FateOf = (message: Publish) => Fate;

/** Decides message by message: `HIDE` counts for `-C` and is not printed, `SKIP` does not count. */
export function messageFilter(settings: Settings, random: () => number = Math.random): FateOf {
  const { retainedOnly, ignoreRetained, filterOut, randomFilter } = settings;
  const unwanted = unwantedTopic(settings);
  const plain =
    !retainedOnly && !ignoreRetained && filterOut.length === 0 && randomFilter === undefined && !unwanted;
  if (plain) return () => Fate.PRINT;
  // Tenths of a percent of 1000, cut off (D-14).
  const threshold = randomFilter === undefined ? undefined : Math.trunc(10 * randomFilter);
  return ({ topic, retain }) => {
    if (retainedOnly && !retain) return Fate.FINISH;
    if (ignoreRetained && retain) return Fate.SKIP;
    if (filterOut.some((filter) => matches(filter, topic))) return Fate.SKIP;
    if (unwanted?.(topic)) return Fate.SKIP;
    if (threshold !== undefined && Math.floor(random() * 1000) >= threshold) return Fate.HIDE;
    return Fate.PRINT;
  };
}
