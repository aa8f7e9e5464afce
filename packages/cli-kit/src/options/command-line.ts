import { existsSync, readFileSync } from 'node:fs';
import { UsageError } from '@tsmqtt/protocol';
import type { ExitCode, Io } from '../program/io.js';
import { ProgramError } from '../program/program-error.js';
import { Reporter } from '../program/reporter.js';
import { versionLine } from '../program/version.js';
import { ArgumentError } from './argument-error.js';
import { crossCheck } from './cross-checks.js';
import { defaultOptionsFile, namedOptionsFile, parseOptionsFile } from './options-file.js';
import { type Answer, parseArguments } from './parse-arguments.js';
import { defaultSettings, type Settings, type Tool } from './settings.js';

/** First argument of what yargs' completion scripts call; not an option of anybody's. */
const COMPLETION_REQUEST = '--get-yargs-completions';

/** A program behind its command line. Throws ArgumentError, ProgramError and UsageError for what it cannot do. */
export type Program = (settings: Settings, io: Io, reporter: Reporter) => Promise<ExitCode>;

/**
 * Reads the command line of `tool` in the order of cli §2.7: options file, arguments, environment, checks. Then runs
 * `program`, or prints what was asked for instead. Errors of either become lines on stderr and an exit code.
 */
export async function runCommandLine(
  tool: Tool,
  argv: readonly Buffer[],
  io: Io,
  program: Program,
): Promise<ExitCode> {
  const reporter = new Reporter(io);
  if (argv[0]?.toString() === COMPLETION_REQUEST) return await printCompletions(tool, argv.slice(1), io);
  try {
    const settings = defaultSettings(tool);
    const answer = readOptions(argv, io, settings);
    if (answer !== undefined) return await printAnswer(answer, tool, io);
    reporter.quiet = settings.quiet;
    applyEnvironment(settings, io.env);
    crossCheck(settings);
    return await program(settings, io, reporter);
  } catch (error) {
    if (error instanceof UsageError) {
      // Asked for and impossible to send, such as a packet beyond what MQTT can say the length of.
      reporter.report(`Error: ${error.message}.\n`);
      return 1;
    }
    if (error instanceof ProgramError) {
      reporter.report(error.text);
      return error.exitCode;
    }
    if (!(error instanceof ArgumentError)) throw error;
    reporter.print(error.text);
    if (error.after === 'hint') reporter.print(`\nUse '${io.programName} --help' to see usage.\n`);
    if (error.after === 'usage') await printAnswer('help', tool, io);
    return 1;
  } finally {
    await reporter.settled();
  }
}

function readOptions(argv: readonly Buffer[], io: Io, settings: Settings): Answer | undefined {
  const file = namedOptionsFile(argv) ?? defaultOptionsFile(settings.tool, io.env, process.platform);
  const content = file === undefined ? undefined : readIfThere(file);
  const answer = content === undefined ? undefined : parseOptionsFile(content, settings);
  return answer ?? parseArguments(argv, settings);
}

/** An options file that cannot be read is no options, and no message (cli §8.1). */
function readIfThere(file: string | Buffer): Buffer | undefined {
  // Most have none, and an error takes longer than the question.
  if (!existsSync(file)) return undefined;
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Credentials that should not stand on a command line (P-13). An empty variable is none. */
function applyEnvironment(settings: Settings, env: Io['env']): void {
  if (settings.username === undefined && env.TSMQTT_USERNAME) {
    settings.username = Buffer.from(env.TSMQTT_USERNAME);
  }
  if (settings.password === undefined && settings.passwordFile === undefined && env.TSMQTT_PASSWORD) {
    settings.password = Buffer.from(env.TSMQTT_PASSWORD);
  }
}

async function printAnswer(answer: Answer, tool: Tool, io: Io): Promise<ExitCode> {
  if (answer === 'version') {
    io.stdout.write(versionLine(io.programName));
    return 0;
  }
  const { completionScript, helpText } = await import('./help.js');
  io.stdout.write(answer === 'help' ? await helpText(tool, io) : await completionScript(tool, io));
  return 0;
}

async function printCompletions(tool: Tool, words: readonly Buffer[], io: Io): Promise<ExitCode> {
  const { completions } = await import('./help.js');
  const found = await completions(tool, words.map(String));
  io.stdout.write(found.map((word) => `${word}\n`).join(''));
  return 0;
}
