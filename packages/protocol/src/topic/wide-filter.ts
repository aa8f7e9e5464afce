import { matches } from './matches.js';
import { parseFilter } from './shared-filter.js';
import { validTopicFilter, validWideFilter } from './topic-filter.js';

/** A filter that may have `#` inside: what to ask the broker for, and which of the messages were meant. */
export interface WideFilter {
  /** Valid Topic Filter for SUBSCRIBE; the broker sends at least everything that `matches`. */
  readonly subscribe: string;
  /** Whether a message's Topic Name was asked for. */
  matches(topic: string): boolean;
}

/**
 * Reads a filter in which `#` may also stand before the last level, as in `a/b/#/d`, there standing for any number of
 * levels, none included (cli P-18). An ordinary filter comes back as itself. Undefined for anything that is not a
 * filter in this sense either. Topics of `$share/group/...` are matched against what follows the group.
 */
export function parseWideFilter(text: string): WideFilter | undefined {
  if (validTopicFilter(text)) {
    const { filter } = parseFilter(text);
    return { subscribe: text, matches: (topic) => matches(filter, topic) };
  }
  if (!validWideFilter(text)) return undefined;
  const subscribe = text.slice(0, text.indexOf('#') + 1);
  const narrow = parseFilter(subscribe);
  if (!narrow.valid) return undefined;
  const shareLength = subscribe.length - narrow.filter.length;
  const levels = text.slice(shareLength).split('/');
  return {
    subscribe,
    matches: (topic) => matches(narrow.filter, topic) && matchesLevels(levels, topic.split('/')),
  };
}

/** Glob over levels: goes back to the latest `#` and lets it take one level more, so at most levels x levels steps. */
function matchesLevels(filter: readonly string[], topic: readonly string[]): boolean {
  let f = 0;
  let t = 0;
  let latestHash = -1;
  let takenUpTo = 0;
  while (t < topic.length) {
    const level = filter[f];
    if (level === '#') {
      latestHash = f++;
      takenUpTo = t;
    } else if (level === '+' || level === topic[t]) {
      f++;
      t++;
    } else if (latestHash !== -1) {
      f = latestHash + 1;
      t = ++takenUpTo;
    } else {
      return false;
    }
  }
  while (filter[f] === '#') f++;
  return f === filter.length;
}
