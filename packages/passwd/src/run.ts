import { type ExitCode, type Io, Reporter } from '@tsmqtt/cli-kit/program';
import { type Command, parseArguments } from './arguments.js';
import { Failure, Interrupted } from './failure.js';
import { hashAll } from './hash-all.js';
import { importUsers } from './import-users.js';
import { setFirstPassword, setPassword } from './set-password.js';
import { usageText, versionText } from './usage.js';
import { deleteUser, listUsers, verifyUser } from './user-commands.js';

/** The program `tsmqtt-passwd` (cli §18). Resolves with its exit code; never exits and never rejects for what a user does. */
export async function run(argv: readonly Buffer[], io: Io): Promise<ExitCode> {
  const abort = new AbortController();
  const stopListening = (['SIGINT', 'SIGTERM'] as const).map((name) =>
    io.onSignal(name, () => abort.abort()),
  );
  try {
    const command = parseArguments(argv);
    return await unlessAborted(execute(command, io, abort.signal), abort.signal);
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    if (!(error instanceof Failure)) throw error;
    const reporter = new Reporter(io);
    if (error.output.length > 0) reporter.print(error.output);
    await reporter.settled();
    return error.exitCode;
  } finally {
    for (const stop of stopListening) stop();
  }
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
      listUsers(command.path, io);
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
