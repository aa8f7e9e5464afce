import type { SysValues } from './sys-values.js';

/** What kind of value it is, also for those who scrape it. */
export type SysKind =
  /** Never changes. */
  | 'text'
  /** A number that only grows as long as the broker runs. */
  | 'counter'
  /** A number that goes up and down. */
  | 'gauge'
  /** A counter of which the averages over 1, 5 and 15 minutes are published, per minute, and not the counter. */
  | 'load';

/** One value that the broker tells about itself. */
export interface SysRow {
  /** Topics below `$SYS/broker/`, all with the same value; for a load without its last level. */
  readonly topics: readonly [string, ...string[]];
  readonly kind: SysKind;
  /** Behind the number in the payload. */
  readonly unit?: string;
  /** The value now; undefined: not published yet. Numbers are integers. */
  read(values: SysValues): number | string | undefined;
  /** What it counts, for the reference and for `/metrics`. */
  readonly doc: string;
}
