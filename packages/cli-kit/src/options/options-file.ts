import { argumentError } from './argument-error.js';
import { type Answer, parseArguments, rowsOf } from './parse-arguments.js';
import type { Settings, Tool } from './settings.js';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const HASH = 0x23;

/**
 * The file that `-o` names, found by a scan of all arguments, also those that are really values (cli §2.8).
 * Undefined without `-o`. Throws ArgumentError for a second one and for one without a file.
 */
export function namedOptionsFile(argv: readonly Buffer[]): Buffer | undefined {
  let file: Buffer | undefined;
  for (let at = 0; at < argv.length; at++) {
    if (argv[at]!.toString('latin1') !== '-o') continue;
    if (file !== undefined) throw argumentError`Error: Duplicate -o argument given.\n\n`;
    file = argv[++at];
    if (file === undefined) throw argumentError`Error: -o argument given but no options file specified.\n\n`;
  }
  return file;
}

/** The default options file (cli §8.1); undefined where the environment does not say where to look. */
export function defaultOptionsFile(
  tool: Tool,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): string | undefined {
  if (platform === 'win32') {
    return env.USERPROFILE === undefined ? undefined : `${env.USERPROFILE}\\mosquitto_${tool}.conf`;
  }
  if (env.XDG_CONFIG_HOME !== undefined) return `${env.XDG_CONFIG_HOME}/mosquitto_${tool}`;
  return env.HOME === undefined ? undefined : `${env.HOME}/.config/mosquitto_${tool}`;
}

/** Writes what an options file says into `settings` (cli §8.2), line by line, as {@link parseArguments} does. */
export function parseOptionsFile(content: Buffer, settings: Settings): Answer | undefined {
  for (let start = 0; start < content.length; ) {
    const lineEnd = content.indexOf(LF, start);
    const end = lineEnd === -1 ? content.length : lineEnd;
    const answer = parseArguments(lineArguments(content.subarray(start, end), settings.tool), settings);
    if (answer !== undefined) return answer;
    start = end + 1;
  }
  return undefined;
}

/** One line: an option and, from behind the first space to the end, its value. */
function lineArguments(line: Buffer, tool: Tool): Buffer[] {
  let end = line.length;
  while (end > 0 && line[end - 1] === CR) end--;
  if (end === 0 || line[0] === HASH) return [];
  let start = 0;
  while (start < end && line[start] === SPACE) start++;
  if (start === end) return [];
  const space = line.subarray(0, end).indexOf(SPACE, start);
  if (space === -1) return [line.subarray(start, end)];
  const option = line.subarray(start, space);
  const value = line.subarray(space + 1, end);
  // A value of nothing but blanks is none (cli §8.2).
  if (value.every((byte) => byte === SPACE)) return [option];
  const row = rowsOf(tool).get(option.toString('latin1'));
  return [option, ...(row?.wordsOfLine?.(value) ?? [value])];
}
