import { type ExitCode, type Io, Reporter } from '@tsmqtt/cli-kit/program';
import { type Command, parseArguments } from './arguments.js';
import { Failure, Interrupted } from './failure.js';
import { hashAll } from './hash-all.js';
import { importUsers } from './import-users.js';
import { setFirstPassword, setPassword } from './set-password.js';
import { usageText, versionText } from './usage.js';
import { deleteUser, listUsers, verifyUser } from './user-commands.js';

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 };

/** The program `tsmqtt-passwd` (cli §18). Resolves with its exit code; never exits and never rejects for what a user does. */
export async function run(argv: readonly Buffer[], io: Io): Promise<ExitCode> {
  const abort = new AbortController();
  let signalNumber = SIGNAL_NUMBERS.SIGINT;
  const stopListening = (['SIGINT', 'SIGTERM'] as const).map((name) =>
    io.onSignal(name, () => {
      signalNumber = SIGNAL_NUMBERS[name];
      abort.abort();
    }),
  );
  let command: Command | undefined;
  try {
    command = parseArguments(argv);
    return await unlessAborted(execute(command, io, abort.signal), abort.signal);
  } catch (error) {
    if (error instanceof Interrupted) return isOwn(command) ? 128 + signalNumber : 0;
    if (!(error instanceof Failure)) throw error;
    const reporter = new Reporter(io);
    if (error.output.length > 0) reporter.print(error.output);
    await reporter.settled();
    return error.exitCode;
  } finally {
    for (const stop of stopListening) stop();
  }
}

/**
 * Whether the reference does not have this: then an exit code of 0 after a signal, which it gives (cli §18.3), would say
 * that it happened, or that the password was right.
 */
function isOwn(command: Command | undefined): boolean {
  if (command?.kind === 'verify' || command?.kind === 'import') return true;
  return (
    command !== undefined &&
    'source' in command &&
    'from' in command.source &&
    command.source.from === 'stdin'
  );
}

async function execute(command: Command, io: Io, signal: AbortSignal): Promise<ExitCode> {
  switch (command.kind) {
    case 'help':
      io.stdout.write(usageText(io.programName));
      return 0;
    case 'version':
      io.stdout.write(versionText(io.programName));
      return 0;
    case 'usage':
      io.stdout.write(usageText(io.programName));
      return 1;
    case 'create':
      await setFirstPassword(command, io, signal);
      return 0;
    case 'set':
      await setPassword(command, io, signal);
      return 0;
    case 'hash-all':
      await hashAll(command.path, command.settings, io, signal);
      return 0;
    case 'import':
      await importUsers(command, io, signal);
      return 0;
    case 'delete':
      await deleteUser(command.path, command.username, io, signal);
      return 0;
    case 'verify':
      await verifyUser(command.path, command.username, command.source, io, signal);
      return 0;
    case 'list':
      await listUsers(command.path, io);
      return 0;
  }
}

/**
 * A signal is answered at once, also while a hash is computed. What still runs then writes nothing: every write looks
 * at the signal first.
 */
async function unlessAborted(work: Promise<ExitCode>, signal: AbortSignal): Promise<ExitCode> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Interrupted());
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
