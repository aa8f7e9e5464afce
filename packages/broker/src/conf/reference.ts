import type { ConfOption, ConfScope } from './option-row.js';
import { CONF_OPTIONS } from './option-table.js';

const SECTIONS: readonly {
  readonly title: string;
  readonly scopes: readonly ConfScope[];
  readonly intro: string;
}[] = [
  {
    title: 'Everywhere',
    scopes: ['G', 'P'],
    intro:
      'These may stand anywhere in the file. With `per_listener_settings` those marked * belong to the `listener` above them.',
  },
  {
    title: 'Listeners',
    scopes: ['L', 'L+'],
    intro: 'These belong to the `listener` above them in the same file.',
  },
  {
    title: 'Bridges',
    scopes: ['B'],
    intro: 'These belong to a `connection`, which is refused in this version.',
  },
  {
    title: 'Plugins',
    scopes: ['X'],
    intro: 'These belong to the plugin above them; `plugin_opt_KEY` and `auth_opt_KEY` too.',
  },
];

const HUP: Readonly<Record<ConfOption['hup'], string>> = {
  Y: 'yes',
  D: 'yes',
  L: 'for new connections',
  N: 'no',
};

/** The reference of every option of mosquitto.conf, as Markdown. */
export function confReference(): string {
  return [
    '# mosquitto.conf in tsmqtt-broker',
    '',
    'Every option of Mosquitto 2.1.2 and what tsmqtt-broker makes of it.',
    '',
    '- **honoured**: does what it does in Mosquitto.',
    '- **ignored**: accepted; a warning names the line and says that it has no effect.',
    '- **refused**: the broker names the option, the file and the line, and does not start (exit code 3). A value that',
    '  asks for what happens anyway is accepted; it stands in the table behind "but".',
    '',
    "An option that Mosquitto does not have either is an error: `Unknown configuration variable 'X'.`",
    '',
    'SIGHUP reads the configuration again; "Reload" says whether a change then takes effect.',
    ...SECTIONS.flatMap(({ title, scopes, intro }) => [
      '',
      `## ${title}`,
      '',
      intro,
      '',
      '| Option | Support | Value | Default | Reload | Meaning |',
      '|---|---|---|---|---|---|',
      ...CONF_OPTIONS.filter((row) => scopes.includes(row.scope)).map(tableRow),
    ]),
    '',
  ].join('\n');
}

function tableRow(row: ConfOption): string {
  const marked = row.scope === 'P' ? ' *' : '';
  const names = [row.name, ...(row.aliases ?? [])].map(code).join(', ') + marked;
  const cells = [names, support(row), kindOfValue(row), row.default ?? '', HUP[row.hup], meaning(row)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function support(row: ConfOption): string {
  const harmless = row.support === 'refused' ? (row.harmless ?? []) : [];
  return harmless.length === 0
    ? row.support
    : `refused, but ${harmless.map((value) => code(String(value))).join(', ')}`;
}

function kindOfValue(row: ConfOption): string {
  if (row.type === 'choice') return (row.choices ?? []).map(code).join(' ');
  if (row.type !== 'integer' || row.range === undefined) return row.type;
  const [least, most] = row.range;
  if (least < -65535) return `integer up to ${most}`;
  return most > 2 ** 30 ? `integer from ${least}` : `${least} to ${most}`;
}

function meaning(row: ConfOption): string {
  const end = row.support === 'ignored' && row.warning !== undefined ? `; ${row.warning}` : '';
  return `${row.doc}${end}${row.deprecated === undefined ? '' : '; deprecated'}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
