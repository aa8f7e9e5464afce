import { OPTION_GROUPS, type OptionRow } from './option-row.js';
import { OPTIONS } from './option-table.js';
import type { Tool } from './settings.js';
import { SYNOPSES } from './synopsis.js';

const TOOLS = Object.keys(SYNOPSES) as Tool[];

/** The reference of the programs' options in Markdown, from the option table. */
export function optionReference(): string {
  const lines = ['# Command line options', '', 'Generated from the option table of `@tsmqtt/cli-kit`.', ''];
  for (const tool of TOOLS) {
    const { summary, usage, examples } = SYNOPSES[tool];
    lines.push(`- \`tsmqtt-${tool}\`: ${summary}`, '', '  ```sh');
    lines.push(...[...usage, ...examples].map((line) => `  tsmqtt-${tool} ${line}`), '  ```', '');
  }
  for (const group of OPTION_GROUPS) {
    const rows = OPTIONS.filter((row) => row.group === group);
    lines.push(`## ${group}`, '', '| Option | Programs | Meaning | Default |', '|---|---|---|---|');
    lines.push(...rows.map(tableRow), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function tableRow(row: OptionRow): string {
  const names = row.names.map((name) => `\`${name}\``).join(', ');
  const value = row.value === undefined ? '' : ` \`${row.value.placeholder}\``;
  const tools = row.tools.join(', ');
  const repeated = row.repeatable === undefined ? '' : ' May be given more than once.';
  const choices = row.value?.choices === undefined ? '' : ` One of ${row.value.choices.join(', ')}.`;
  return `| ${names}${value} | ${tools} | ${escapeMarkdown(row.help)}${choices}${repeated} | ${row.initially ?? ''} |`;
}

function escapeMarkdown(text: string): string {
  return text.replace(/[|<>*_]/g, (character) => `\\${character}`);
}
