import { LOAD_WINDOWS } from './load-average.js';
import type { SysRow } from './sys-row.js';
import { SYS_ROWS } from './sys-table.js';

/** The reference of the topics below `$SYS/broker/`, as Markdown. */
export function sysReference(): string {
  const values = SYS_ROWS.filter((row) => row.kind !== 'load');
  const loads = SYS_ROWS.filter((row) => row.kind === 'load');
  const windows = LOAD_WINDOWS.map(({ topic }) => `\`${topic}\``);
  return [
    '# $SYS topics of tsmqtt-broker',
    '',
    'What the broker tells about itself below `$SYS/broker/`: retained, QoS 2, decimal text. Values are published soon',
    'after the start and then where the seconds of the time of day are a multiple of `sys_interval` (10), if they have',
    'changed; `uptime` always. With `sys_interval 0` there are none. Clients cannot publish there. Counters count from the',
    'start of the broker.',
    '',
    '| Topic | Kind | Value |',
    '|---|---|---|',
    ...values.map((row) => `| ${topics(row)} | ${row.kind} | ${row.doc} |`),
    '',
    '## Loads',
    '',
    `How many a minute, averaged; the last level is one of ${windows.join(', ')}. A value counts for less the longer ago`,
    'it was: after so many minutes for 1/e. Published with two decimals, when changed by 0.01 or more.',
    '',
    '| Topic | Counts |',
    '|---|---|',
    ...loads.map((row) => `| ${topics(row)} | ${row.doc} |`),
    '',
    '## Log lines',
    '',
    'With `log_dest topic` the lines of the log are published below `log/`: `E` error, `W` warning, `N` notice, `I`',
    'information, `M/subscribe` and `M/unsubscribe`; QoS 2, not retained, gone after 20 seconds.',
    '',
  ].join('\n');
}

function topics(row: SysRow): string {
  return row.topics.map((topic) => `\`${topic}\``).join(', ');
}
