import { BROKER_ARGUMENTS, MAX_PORTS } from './argument-table.js';

/** What the command line asks for. */
export interface BrokerArguments {
  readonly configFiles: readonly string[];
  readonly ports: readonly number[];
  readonly daemon: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly testConfig: boolean;
  /** File of the NSS key log. */
  readonly tlsKeyLog: string | undefined;
}

/** An argument that cannot be used. Exit code 3. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  readonly code = 'bad-argument';
  /** The help follows on stdout. */
  readonly showHelp: boolean;

  constructor(text: string, showHelp = false) {
    super(text);
    this.showHelp = showHelp;
  }
}

/**
 * Reads the command line. `--help` and `--version` act where they stand, and so do configuration files.
 *
 * @param readConfig called for every `-c` in its turn; what it throws ends the parsing.
 * @throws ArgumentError
 */
export function parseArguments(
  argv: readonly string[],
  readConfig: (file: string) => void,
): BrokerArguments | 'help' | 'version' {
  const configFiles: string[] = [];
  const ports: number[] = [];
  let tlsKeyLog: string | undefined;
  const given = { daemon: false, quiet: false, verbose: false, 'test-config': false };
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    const row = BROKER_ARGUMENTS.find(({ names }) => names.includes(argument));
    if (row === undefined) throw new ArgumentError(`Error: Unknown option '${argument}'.`, true);
    const value = row.value === undefined ? undefined : argv[++index];
    if (row.missing !== undefined && value === undefined) throw new ArgumentError(row.missing);
    switch (row.effect) {
      case 'help':
      case 'version':
        return row.effect;
      case 'config':
        configFiles.push(value!);
        readConfig(value!);
        break;
      case 'port':
        ports.push(readPort(value!, ports.length));
        break;
      case 'tls-keylog':
        tlsKeyLog = value;
        break;
      default:
        given[row.effect] = true;
    }
  }
  return {
    configFiles,
    ports,
    daemon: given.daemon,
    quiet: given.quiet,
    verbose: given.verbose,
    testConfig: given['test-config'],
    tlsKeyLog,
  };
}

function readPort(text: string, already: number): number {
  if (already === MAX_PORTS) {
    throw new ArgumentError(`Error: Only ${MAX_PORTS} ports can be specified on the command line.`);
  }
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new ArgumentError(`Error: Invalid port specified (${text}).`);
  return port;
}
