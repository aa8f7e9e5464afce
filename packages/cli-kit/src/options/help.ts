import yargs, { type Yargs } from 'yargs';
import type { Io } from '../program/io.js';
import { versionLine } from '../program/version.js';
import { OPTION_GROUPS, type OptionRow } from './option-row.js';
import { OPTIONS } from './option-table.js';
import type { Tool } from './settings.js';
import { SYNOPSES } from './synopsis.js';

/** Loaded only for help and completion: yargs renders what the option table says. */

const NARROWEST = 60;
const WIDEST = 110;

/** The text of `--help`; coloured on a terminal. */
export async function helpText(tool: Tool, io: Io): Promise<string> {
  const { summary, usage, examples } = SYNOPSES[tool];
  const columns = Math.max(NARROWEST, Math.min(WIDEST, io.stdout.columns ?? 80));
  const prog = io.programName;
  const text = await described(tool, prog)
    .wrap(columns)
    .usage(
      `${prog}: ${summary}\n${versionLine(prog)}\nUsage: ${usage.map((line) => `${prog} ${line}`).join('\n       ')}`,
    )
    .epilogue(`Examples:\n${examples.map((line) => `  ${prog} ${line}`).join('\n')}`)
    .getHelp();
  const whole = `${text.trimEnd()}\n`;
  if (!io.stdout.isTTY || io.env.NO_COLOR) return whole;
  const { paintHelp } = await import('../program/paint.js');
  return paintHelp(whole);
}

/** The text of `--completion`: a script for the shell the environment names. */
export async function completionScript(tool: Tool, io: Io): Promise<string> {
  const script = await new Promise<string>((resolve, reject) => {
    described(tool, io.programName)
      .completion('completion', false)
      .parse(['completion'], (error, _argv, output) => (error ? reject(error) : resolve(output)));
  });
  // yargs has a command where this program has an option.
  return `${script.trimEnd().replaceAll(`${io.programName} completion`, `${io.programName} --completion`)}\n`;
}

/** What the completion script asks for: the words that could stand where the last one is being typed. */
export async function completions(tool: Tool, words: readonly string[]): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const before = words.at(-2);
  const row = OPTIONS.find((option) => option.tools.includes(tool) && option.names.includes(before ?? ''));
  if (row?.value !== undefined) {
    return (row.value.choices ?? []).filter((choice) => choice.startsWith(current));
  }
  const names = new Set(
    OPTIONS.filter((option) => option.tools.includes(tool)).flatMap((option) => option.names),
  );
  const offered = await described(tool, tool).getCompletion([current.startsWith('--') ? current : '--']);
  // yargs writes every name with two dashes; the table knows how it is spelled.
  const spelled = offered.map((name) => (names.has(name) ? name : name.replace(/^--/, '-')));
  const short = [...names].filter((name) => !name.startsWith('--'));
  return [...new Set([...spelled, ...short])].filter((name) => names.has(name) && name.startsWith(current));
}

function described(tool: Tool, programName: string): Yargs {
  let parser = yargs([]).scriptName(programName).help(false).version(false).exitProcess(false).locale('en');
  const rows = OPTIONS.filter((row) => row.tools.includes(tool));
  for (const group of OPTION_GROUPS) {
    for (const row of rows) if (row.group === group) parser = describe(parser, row);
  }
  return parser;
}

function describe(parser: Yargs, row: OptionRow): Yargs {
  // The long name is the key: it is the one that yargs completes.
  const [name, alias] = row.names.map((spelled) => spelled.replace(/^--?/, '')).reverse();
  const { value } = row;
  const text = value === undefined ? row.help : `${value.placeholder}: ${row.help}`;
  return parser.option(name!, {
    ...(alias === undefined ? {} : { alias }),
    describe: text,
    group: `${row.group}:`,
    ...(value?.choices === undefined ? {} : { choices: value.choices }),
    ...(row.initially === undefined ? {} : { defaultDescription: row.initially }),
  });
}
