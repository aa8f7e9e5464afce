import { startBroker as startEngine } from '../broker.js';
import { ConfError } from '../conf/conf-error.js';
import type { Conf } from '../conf/conf-reader.js';
import { BrokerLog } from '../log/broker-log.js';
import { DEFAULT_SETTINGS } from '../settings.js';
import { ArgumentError, type BrokerArguments, parseArguments } from './arguments.js';
import { checkBindAddress, checkSyslog, diskConfReader } from './conf-source.js';
import { helpText, versionText } from './help.js';
import type { BrokerIo, ExitCode } from './io.js';
import { chooseUser } from './privileges.js';
import { ProgramError } from './program-error.js';
import type { StartBroker } from './running-broker.js';
import { serve } from './serve.js';

/**
 * The program `tsmqtt-broker`: reads the command line and the configuration, then serves until a signal ends it.
 *
 * @param argv arguments without interpreter and script.
 * @param startBroker opens the listeners; tests pass another.
 * @returns the exit code (contract broker §1.2).
 */
export async function run(
  argv: readonly Buffer[],
  io: BrokerIo,
  startBroker: StartBroker = startEngine,
): Promise<ExitCode> {
  // Until the configured log is open, lines go to stderr with the default types, even with -q (T-38).
  const log = new BrokerLog(
    {
      stdout: io.stdout,
      stderr: io.stderr,
      now: () => io.now(),
      followSymlinks: true,
      openSyslog: io.openSyslog,
    },
    DEFAULT_SETTINGS.log,
  );
  try {
    return await start(argv.map(String), io, log, startBroker);
  } catch (error) {
    if (error instanceof ArgumentError) {
      log.error(error.message);
      if (error.showHelp) io.stdout.write(helpText(io.programName));
      return 3;
    }
    if (error instanceof ConfError || error instanceof ProgramError) {
      for (const line of error.lines) log.error(line);
      return error.exitCode;
    }
    throw error;
  } finally {
    log.close();
  }
}

async function start(
  argv: readonly string[],
  io: BrokerIo,
  log: BrokerLog,
  startBroker: StartBroker,
): Promise<ExitCode> {
  const reader = diskConfReader(log);
  const args = parseArguments(argv, (file) => reader.read(file));
  if (args === 'help' || args === 'version') {
    io.stdout.write(args === 'help' ? helpText(io.programName) : versionText(io.programName));
    return 0;
  }
  const conf = reader.finish(args.ports);
  await checkBindAddress(conf);
  checkSyslog(conf, io);
  if (args.testConfig) return testConfig(args, conf, log);
  const user = chooseUser(io, conf.settings.user, (text) => log.warning(text));
  if (args.daemon) {
    await io.detach(argv.filter((_, index) => !isDaemonArgument(argv, index)));
    return 0;
  }
  return serve({ args, conf, io, user, startBroker, earlyLog: log });
}

function testConfig(args: BrokerArguments, conf: Conf, log: BrokerLog): ExitCode {
  if (args.configFiles.length === 0) {
    log.error('Please provide a configuration file to test.');
    return 3;
  }
  if (conf.refusal !== undefined) throw conf.refusal;
  log.info('Configuration file is OK.');
  return 0;
}

// The values of -c, -p and --tls-keylog are no arguments, whatever they look like.
function isDaemonArgument(argv: readonly string[], index: number): boolean {
  if (argv[index] !== '-d' && argv[index] !== '--daemon') return false;
  let position = 0;
  while (position < index)
    position += ['-c', '--config-file', '-p', '--port', '--tls-keylog'].includes(argv[position]!) ? 2 : 1;
  return position === index;
}
