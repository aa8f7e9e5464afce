import { argumentError } from './argument-error.js';
import type { OptionRow } from './option-row.js';
import { OPTIONS } from './option-table.js';
import type { Settings, Tool } from './settings.js';

/** What arguments asked for besides settings. */
export type Answer = NonNullable<OptionRow['answers']>;

const FLAG_VALUE = Buffer.alloc(0);
const EQUALS = 0x3d;

const rowsByTool = new Map<Tool, ReadonlyMap<string, OptionRow>>();

/** The rows of a tool by every name they have. */
export function rowsOf(tool: Tool): ReadonlyMap<string, OptionRow> {
  let rows = rowsByTool.get(tool);
  if (rows === undefined) {
    const named = OPTIONS.filter((row) => row.tools.includes(tool));
    rows = new Map(named.flatMap((row) => row.names.map((name) => [name, row] as const)));
    rowsByTool.set(tool, rows);
  }
  return rows;
}

/**
 * Writes what `argv` says into `settings`, from left to right (cli §2): exact names, the value is the next argument
 * whatever it looks like, `--name=value` for long names (P-5), the first error ends it. Throws ArgumentError.
 *
 * Answers what is to be printed instead of running where an option asks for that; what follows it is not looked at.
 */
export function parseArguments(argv: readonly Buffer[], settings: Settings): Answer | undefined {
  const rows = rowsOf(settings.tool);
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    let row = rows.get(argument.toString('latin1'));
    let value: Buffer | undefined;
    if (row === undefined) {
      // `--name=value`, for options that take a value (P-5).
      const equals = argument.indexOf(EQUALS);
      if (equals > 2 && argument.toString('latin1', 0, 2) === '--') {
        row = rows.get(argument.toString('latin1', 0, equals));
        value = argument.subarray(equals + 1);
      }
      if (row?.value === undefined) throw argumentError`Error: Unknown option '${argument}'.\n`;
    }
    if (row.answers !== undefined) return row.answers;
    row.guard?.(settings);
    if (row.value === undefined) {
      row.apply(settings, FLAG_VALUE);
      continue;
    }
    if (row.applyWords !== undefined) {
      const words = value === undefined ? [] : [value];
      at += row.applyWords(settings, [...words, ...argv.slice(at + 1)]) - words.length;
      continue;
    }
    value ??= argv[++at];
    if (value === undefined) throw missingValue(row);
    row.apply(settings, value);
  }
  return undefined;
}

/** The error for an option that stands at the end without its value (cli §4). */
export function missingValue(row: OptionRow): Error {
  const spelling = row.value?.spelling ?? row.names[0];
  const missing = row.value?.missing ?? `no ${row.value?.noun}`;
  return argumentError`Error: ${spelling} argument given but ${missing} specified.\n\n`;
}
