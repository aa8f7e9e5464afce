/** What an argument does. */
export type ArgumentEffect =
  | 'config'
  | 'daemon'
  | 'help'
  | 'port'
  | 'quiet'
  | 'test-config'
  | 'tls-keylog'
  | 'verbose'
  | 'version';

/** One argument of tsmqtt-broker (contract broker §1.1). The value is always the next argument. */
export interface ArgumentRow {
  readonly names: readonly string[];
  readonly effect: ArgumentEffect;
  /** Placeholder of the value in the help; absent: takes none. */
  readonly value?: string;
  /** The error when the value is missing. */
  readonly missing?: string;
  readonly help: string;
}

// biome-ignore format: one row a line
export const BROKER_ARGUMENTS: readonly ArgumentRow[] = [
  { names: ['-c', '--config-file'], effect: 'config', value: 'FILE', missing: 'Error: -c argument given, but no config file specified.', help: 'read this configuration file' },
  { names: ['-d', '--daemon'], effect: 'daemon', help: 'run in the background, without terminal and standard streams' },
  { names: ['-h', '--help'], effect: 'help', help: 'print this help' },
  { names: ['-p', '--port'], effect: 'port', value: 'PORT', missing: 'Error: -p argument given, but no port specified.', help: 'listen on this port of the loopback interface; up to 10 times; without effect where the configuration names a listener' },
  { names: ['-q', '--quiet'], effect: 'quiet', help: 'write no log; stronger than -v and the configuration' },
  { names: ['-v', '--verbose'], effect: 'verbose', help: 'log everything, whatever the configuration says' },
  { names: ['--test-config'], effect: 'test-config', help: 'read the configuration of -c, report, and end' },
  { names: ['--tls-keylog'], effect: 'tls-keylog', value: 'FILE', missing: 'Error: --tls-keylog argument given, but no file specified.', help: 'append the secrets of TLS connections to this file, so that they can be decrypted' },
  { names: ['--version'], effect: 'version', help: 'print the version' },
];

/** How often `-p` may be given. */
export const MAX_PORTS = 10;
