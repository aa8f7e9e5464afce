import { prepareSlowHashes } from '@tsmqtt/credentials';
import { SecretFileError } from '../auth/secret-file.js';
import { ConfError } from '../conf/conf-error.js';
import type { Conf } from '../conf/conf-reader.js';
import { prepareLayers } from '../listener/layers.js';
import { BrokerLog } from '../log/broker-log.js';
import type { BrokerSettings } from '../settings.js';
import { VERSION } from '../version.js';
import type { BrokerArguments } from './arguments.js';
import {
  checkBindAddress,
  checkSyslog,
  diskConfReader,
  inOrderOf,
  logSettings,
  sameListeners,
} from './conf-source.js';
import { withFixed } from './fixed-settings.js';
import type { BrokerIo, BrokerSignal, ExitCode, SystemUser } from './io.js';
import { removePidFile, writePidFile } from './pid-file.js';
import { dropPrivileges, prepareRunFolder } from './privileges.js';
import { listenError, ProgramError } from './program-error.js';
import type { RunningBroker, StartBroker } from './running-broker.js';
import { openTlsKeyLog, type TlsKeyLog } from './tls-key-log.js';

/** What a broker that is to run was asked for. */
export interface ServeRequest {
  readonly args: BrokerArguments;
  readonly conf: Conf;
  readonly io: BrokerIo;
  /** The user to become; undefined: nobody else. */
  readonly user: SystemUser | undefined;
  readonly startBroker: StartBroker;
  /** Where lines go until the configured log is open. */
  readonly earlyLog: BrokerLog;
}

/**
 * Starts in the contract's order (broker §1.3) and serves until SIGTERM or SIGINT.
 *
 * @throws ProgramError, ConfError for a start that failed before the log was open.
 */
export async function serve(request: ServeRequest): Promise<ExitCode> {
  const { io, user, conf, earlyLog } = request;
  const { pidFile } = conf.settings;
  if (user !== undefined) {
    const folder = pidFile === undefined ? undefined : prepareRunFolder(pidFile, user);
    if (folder !== undefined) earlyLog.info(`Created folder ${folder} for the pid file.`);
    // The new user may not be able to read this program's folder, and a reload may ask for anything (B-13).
    await prepareSlowHashes();
    await prepareLayers();
    dropPrivileges(io, user);
  }
  if (io.env.UMASK_SET === undefined) io.setUmask(0o077);
  if (pidFile !== undefined) writePidFile(pidFile, io.pid);
  earlyLog.flush();
  const server = new Server(request);
  try {
    return await server.run();
  } finally {
    if (pidFile !== undefined) server.removePidFile(pidFile);
    server.closeLog();
  }
}

/** A broker program between its start and its end. */
class Server {
  private readonly request: ServeRequest;
  private readonly io: BrokerIo;
  private readonly log: BrokerLog;
  /** What the lines about versions say (B-2). */
  private readonly brokerName: string;
  private readonly followSymlinks: boolean;
  private readonly unsubscribes: (() => void)[] = [];
  private settings: BrokerSettings;
  private broker: RunningBroker | undefined;
  private keyLog: TlsKeyLog | undefined;
  private hasStarted = () => {};
  /** Reloads, one after the other, when the broker has started. */
  private reloading = new Promise<void>((resolve) => {
    this.hasStarted = resolve;
  });

  constructor(request: ServeRequest) {
    const { io, args, conf } = request;
    this.request = request;
    this.io = io;
    this.settings = conf.settings;
    this.brokerName = io.programName === 'mosquitto' ? 'mosquitto' : 'tsmqtt-broker';
    this.followSymlinks = io.env.MOSQUITTO_UNSAFE_ALLOW_SYMLINKS !== undefined;
    this.log = new BrokerLog(
      {
        stdout: io.stdout,
        stderr: io.stderr,
        now: () => io.now(),
        followSymlinks: this.followSymlinks,
        openSyslog: io.openSyslog,
      },
      logSettings(conf.settings, args),
    );
    this.unsubscribes.push(io.onExit(() => this.log.flush()));
  }

  async run(): Promise<ExitCode> {
    const { conf, args, startBroker } = this.request;
    // From here on, so that a signal during the start is not lost either.
    const stopped = this.onSignals();
    try {
      this.logStart(args, conf);
      if (conf.refusal !== undefined) throw conf.refusal;
      if (this.settings.localOnly) this.warnLocalOnly();
      const { settings, log, followSymlinks, brokerName } = this;
      const secretFiles = { followSymlinks, userId: this.io.userId() };
      if (args.tlsKeyLog !== undefined) {
        this.keyLog = openTlsKeyLog(args.tlsKeyLog, this.followSymlinks, log);
      }
      const tlsKeyLog = this.keyLog?.write;
      this.broker = await startBroker({ ...settings, log, secretFiles, name: brokerName, tlsKeyLog }).catch(
        (error: unknown) => {
          throw listenError(error);
        },
      );
    } catch (error) {
      // The log is open by now, so the reason stands there.
      if (!isKnown(error)) throw error;
      for (const line of error.lines) this.log.error(line);
      return error.exitCode;
    }
    this.log.info(`${this.brokerName} version ${VERSION} running`);
    this.hasStarted();
    await stopped.first;
    // A second signal ends the patience with clients that do not close.
    await Promise.race([this.reloading.then(() => this.broker?.close()), stopped.second]);
    this.log.info(`${this.brokerName} version ${VERSION} terminating`);
    return 0;
  }

  /** A pid file that stays behind is worth a warning, not another exit code. */
  removePidFile(path: string): void {
    try {
      removePidFile(path);
    } catch (error) {
      this.log.warning(`Warning: Unable to remove pid file. (${(error as Error).message})`);
    }
  }

  closeLog(): void {
    this.keyLog?.close();
    this.log.close();
    for (const unsubscribe of this.unsubscribes) unsubscribe();
  }

  private logStart({ configFiles }: BrokerArguments, conf: Conf): void {
    this.log.info(`${this.brokerName} version ${VERSION} starting`);
    if (configFiles.length === 0) this.log.info('Using default config.');
    for (const file of configFiles) this.log.info(`Config loaded from ${file}.`);
    if (conf.settings.messageSizeLimit > 0) {
      this.log.notice("'message_size_limit' is set; it is recommended to use 'max_packet_size' instead.");
    }
    if (this.followSymlinks) {
      this.log.notice('MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set: files may be symbolic links.');
    }
  }

  private warnLocalOnly(): void {
    this.log.warning(
      'Starting in local only mode. Connections will only be possible from clients running on this machine.',
    );
    this.log.warning('Create a configuration file which defines a listener to allow remote access.');
  }

  private onSignals(): { readonly first: Promise<void>; readonly second: Promise<void> } {
    let stopFirst = () => {};
    let stopSecond = () => {};
    const first = new Promise<void>((resolve) => {
      stopFirst = resolve;
    });
    const second = new Promise<void>((resolve) => {
      stopSecond = resolve;
    });
    let stops = 0;
    const stop = () => (stops++ === 0 ? stopFirst() : stopSecond());
    const handlers: Readonly<Record<BrokerSignal, () => void>> = {
      SIGTERM: stop,
      SIGINT: stop,
      SIGHUP: () => {
        this.reloading = this.reloading.then(() => this.reload());
      },
      SIGUSR1: () => this.log.info('Nothing is saved: nothing is stored on disk in this version.'),
      SIGUSR2: () => this.io.stdout.write(this.broker?.subscriptionTree() ?? ''),
    };
    for (const [signal, handler] of Object.entries(handlers)) {
      this.unsubscribes.push(this.io.onSignal(signal as BrokerSignal, handler));
    }
    return { first, second };
  }

  /** SIGHUP (contract broker §6). Whatever is wrong is logged and leaves the old state in force (B-1). */
  private async reload(): Promise<void> {
    this.log.info('Reloading config.');
    this.settings = await this.keepingOld(this.settings, () => this.readAgain());
    this.log.reopen(logSettings(this.settings, this.request.args));
    await this.keepingOld(undefined, async () => this.broker?.reload(this.settings));
  }

  /** The configuration as it now stands, with what only a restart changes as it was. @throws ConfError */
  private async readAgain(): Promise<BrokerSettings> {
    const { args } = this.request;
    if (args.configFiles.length === 0) return this.settings;
    const perListener = this.settings.listeners.some(({ security }) => security !== undefined);
    const reader = diskConfReader(this.log, perListener);
    for (const file of args.configFiles) reader.read(file);
    const conf = reader.finish(args.ports);
    await checkBindAddress(conf);
    checkSyslog(conf, this.io);
    if (conf.refusal !== undefined) throw conf.refusal;
    const { listeners, localOnly } = this.settings;
    const same = sameListeners(this.settings, conf.settings);
    if (!same) {
      this.log.error(
        'Error: It is not currently possible to add/remove listeners when reloading the config file.',
      );
    }
    const read = same
      ? { ...conf.settings, listeners: inOrderOf(this.settings, conf.settings) }
      : { ...conf.settings, listeners, localOnly };
    return withFixed(this.settings, read, (option) =>
      this.log.warning(`Warning: A change of '${option}' needs a restart.`),
    );
  }

  private async keepingOld<T>(old: T, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      for (const line of isKnown(error) ? error.lines : [`Error: ${(error as Error).message}`])
        this.log.error(line);
      return old;
    }
  }
}

/** An error whose lines say all there is to say. */
function isKnown(error: unknown): error is ConfError | ProgramError | SecretFileError {
  return error instanceof ConfError || error instanceof ProgramError || error instanceof SecretFileError;
}
