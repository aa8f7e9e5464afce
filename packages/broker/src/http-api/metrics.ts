import type { Engine } from '../engine.js';
import type { SysRow } from '../sys/sys-row.js';
import { SYS_ROWS } from '../sys/sys-table.js';
import { VERSION } from '../version.js';

/**
 * The numbers of `$SYS` in the text format of Prometheus. The averages are left out: whoever scrapes makes its own from
 * the counters.
 */
export function metricsText(engine: Engine): string {
  const values = engine.sys.values(engine.clock.now());
  const lines = [
    '# HELP tsmqtt_info Version of the broker.',
    '# TYPE tsmqtt_info gauge',
    `tsmqtt_info{version="${VERSION}"} 1`,
  ];
  for (const row of SYS_ROWS) {
    if (row.kind !== 'counter' && row.kind !== 'gauge') continue;
    const value = row.read(values);
    if (value === undefined) continue;
    const name = metricName(row);
    lines.push(`# HELP ${name} ${helpText(row.doc)}`, `# TYPE ${name} ${row.kind}`, `${name} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `_total` is what counters end with, and nothing else may. */
function metricName({ topics: [topic], kind, unit }: Pick<SysRow, 'topics' | 'kind' | 'unit'>): string {
  const words = (kind === 'gauge' ? topic.replace(/\/total$/, '') : topic).replaceAll(/[^A-Za-z0-9]/g, '_');
  const suffixes = [unit, kind === 'counter' ? 'total' : undefined].filter((word) => word !== undefined);
  return ['tsmqtt', words, ...suffixes].join('_');
}

function helpText(doc: string): string {
  const sentence = doc.replaceAll('`', '').replaceAll('\\', '\\\\').replaceAll('\n', ' ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}
