import { lookup } from 'node:dns/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { ConfError } from '../conf/conf-error.js';
import { type Conf, ConfReader, type ConfReport } from '../conf/conf-reader.js';
import { placeOf } from '../listener/endpoint.js';
import type { Log } from '../log/log.js';
import { ALL_LOG_TYPES } from '../log/log-type-table.js';
import type { BrokerSettings, ListenerSettings, LogSettings } from '../settings.js';
import type { BrokerArguments } from './arguments.js';
import type { BrokerIo } from './io.js';
import { isInPath, LOGGER } from './syslog-process.js';

/** A reader of files on disk whose notices go to a log; see `ConfReader` for `perListener`. */
export function diskConfReader(log: Log, perListener?: boolean): ConfReader {
  const report: ConfReport = (type, text) => {
    if (type === 'information') log.info(text);
    else log[type](text);
  };
  return new ConfReader(
    { readFile: (path) => readFileSync(path), readDir: (path) => readdirSync(path) },
    report,
    perListener,
  );
}

/** The host of `bind_address` must resolve (contract broker §2.5). @throws ConfError */
export async function checkBindAddress(conf: Conf): Promise<void> {
  if (conf.bindPosition === undefined) return;
  const host = conf.settings.listeners.at(-1)?.host;
  if (host === undefined) return;
  try {
    await lookup(host);
  } catch {
    throw new ConfError(
      `Error: Error resolving bind_address: Name or service not known. (${host})`,
      conf.bindPosition,
    );
  }
}

/** `log_dest syslog` needs the program that writes there (contract broker §5). @throws ConfError */
export function checkSyslog(conf: Conf, io: BrokerIo): void {
  if (conf.syslogPosition === undefined || isInPath(LOGGER, io.env.PATH)) return;
  throw new ConfError(
    `Error: The 'log_dest syslog' option needs the program '${LOGGER}', which is in no folder of PATH.`,
    conf.syslogPosition,
  );
}

/** The log settings after `-q` and `-v`, which stay in force over reloads (contract broker §6). */
export function logSettings(settings: BrokerSettings, args: BrokerArguments): LogSettings {
  if (args.quiet) return { ...settings.log, types: [] };
  return args.verbose ? { ...settings.log, types: ALL_LOG_TYPES } : settings.log;
}

/** Whether both listen at the same places, by port and host text (T-8). */
export function sameListeners(a: BrokerSettings, b: BrokerSettings): boolean {
  const places = ({ listeners, localOnly }: BrokerSettings) =>
    [String(localOnly), ...listeners.map(placeOf).sort()].join('\n');
  return places(a) === places(b);
}

/** The same listeners in the order of those that are open, so that each gets its own settings. */
export function inOrderOf(open: BrokerSettings, read: BrokerSettings): readonly ListenerSettings[] {
  const byPlace = new Map(read.listeners.map((listener) => [placeOf(listener), listener]));
  return open.listeners.map((listener) => byPlace.get(placeOf(listener)) ?? listener);
}
