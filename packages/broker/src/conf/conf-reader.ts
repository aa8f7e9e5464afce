import type { BrokerSettings } from '../settings.js';
import { ConfError, type ConfPosition, placeOf } from './conf-error.js';
import { type ConfLine, confLines } from './conf-lines.js';
import { type ConfValue, ConfValueError, readText, readValue, shown } from './conf-value.js';
import { SPECIAL_EFFECTS } from './effects.js';
import { compareIncluded, isIncluded } from './include-order.js';
import type { BrokerKey, ConfOption, ListenerKey, SecurityKey } from './option-row.js';
import { confOption, PLUGIN_OPTION_PREFIXES } from './option-table.js';
import type { Plugin } from './plugins.js';
import { type ListenerDraft, newListener, SettingsDraft } from './settings-draft.js';

/** What reading a configuration says besides its result, in the words of `log_type`. */
export type ConfReport = (type: 'warning' | 'notice' | 'information', text: string) => void;

/** Where configurations come from. Both throw the error of the file system. */
export interface ConfFiles {
  readFile(path: string): Uint8Array;
  /** Names of the entries, in any order. */
  readDir(path: string): readonly string[];
}

/** A configuration, read. */
export interface Conf {
  readonly settings: BrokerSettings;
  /** The line of `bind_address`, whose host must resolve (contract broker §2.5). */
  readonly bindPosition: ConfPosition | undefined;
  /** The line of `log_dest syslog`, which needs the program `logger`. */
  readonly syslogPosition: ConfPosition | undefined;
  /** What ends the start when the security files are read: a plugin that is not known (contract broker §3.4). */
  readonly refusal: ConfError | undefined;
}

/** State of one file: options belong to the `listener` or plugin above them in the same file (contract broker §2.1). */
export interface FileContext {
  readonly path: string;
  readonly includedFrom: ConfPosition | undefined;
  listener: ListenerDraft | undefined;
  plugin: Plugin | undefined;
}

/** Reads configuration files into settings; several main files add up. Does no I/O of its own. */
export class ConfReader {
  readonly draft = new SettingsDraft();
  private readonly files: ConfFiles;
  private readonly report: ConfReport;
  /** Options given once, as `name`; those of listeners stand with the listener. */
  private readonly given = new Set<string>();
  private readonly runsPerListener: boolean | undefined;
  private securityGiven = false;

  /** @param perListener What `per_listener_settings` was at the start, where a running broker reads again. */
  constructor(files: ConfFiles, report: ConfReport, perListener?: boolean) {
    this.files = files;
    this.report = report;
    this.runsPerListener = perListener;
    this.draft.perListener = perListener ?? false;
  }

  /** Reads a main file, and what it includes. @throws ConfError */
  read(path: string): void {
    this.readFile(path, undefined);
  }

  /** @param localPorts ports for local-only mode (`-p`). @throws ConfError */
  finish(localPorts: readonly number[] = []): Conf {
    const settings = this.draft.finish(localPorts, (text) => this.report('warning', text));
    return {
      settings,
      bindPosition: this.draft.bindPosition,
      syslogPosition: this.draft.syslogPosition,
      refusal: this.draft.refusal,
    };
  }

  private readFile(path: string, includedFrom: ConfPosition | undefined): void {
    const content = this.open(path, includedFrom);
    const context: FileContext = { path, includedFrom, listener: undefined, plugin: undefined };
    for (const line of confLines(content)) {
      const position: ConfPosition = {
        file: path,
        line: line.number,
        ...(includedFrom === undefined ? {} : { includedFrom }),
      };
      try {
        this.apply(line, context, position);
      } catch (error) {
        if (error instanceof ConfValueError) throw new ConfError(`Error: ${error.message}`, position);
        throw error;
      }
    }
  }

  private open(path: string, includedFrom: ConfPosition | undefined): Uint8Array {
    try {
      return this.files.readFile(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new ConfError(
        code === 'EISDIR'
          ? `Error: Config file '${path}' is a directory.`
          : `Error: Unable to open config file '${path}'.${code === 'ENOENT' ? '' : ` (${message})`}`,
        includedFrom,
      );
    }
  }

  private apply(line: ConfLine, context: FileContext, position: ConfPosition): void {
    const name = shown(line.name);
    const row = confOption(name);
    if (row === undefined) {
      this.applyUnknown(name, line, context, position);
      return;
    }
    const listener = this.listenerFor(row, name, context);
    if (row.deprecated !== undefined) {
      const notice = `The '${name}' option is now deprecated and will be removed in version 3.0.`;
      this.report('notice', `${notice} ${row.deprecated}`);
    }
    const value = readValue(row, name, line.rest);
    this.checkRepetition(row, name, listener);
    if (row.scope === 'P') this.securityGiven = true;
    if (row.name === 'per_listener_settings' && !this.mayChangeScope(value === true)) return;
    if (row.support === 'refused') {
      this.refuse(row, name, value, position);
      return;
    }
    if (row.support === 'ignored') this.warnIgnored(row, name, value, position);
    listener?.options.set(row.name, position);
    const special = SPECIAL_EFFECTS[row.name];
    if (row.name === 'include_dir') this.include(String(value), context, position);
    else if (special !== undefined) special({ draft: this.draft, context, listener, value, position });
    else this.set(row, value, listener);
  }

  private mayChangeScope(perListener: boolean): boolean {
    if (perListener && this.securityGiven) {
      throw new ConfValueError('per_listener_settings must be set before any other security settings.');
    }
    if (this.runsPerListener === undefined || perListener === this.runsPerListener) return true;
    this.report('warning', "Warning: A change of 'per_listener_settings' needs a restart.");
    return false;
  }

  /** The context check, before the value is looked at (contract broker §2.3). */
  private listenerFor(row: ConfOption, name: string, context: FileContext): ListenerDraft | undefined {
    switch (row.scope) {
      case 'B':
        // A bridge is refused on its `connection` line, so there is never one above.
        throw requires(name, 'a bridge');
      case 'X':
        if (context.plugin === undefined) throw requires(name, 'plugin/global_plugin/plugin_load');
        return undefined;
      case 'L':
        if (context.listener === undefined) throw requires(name, 'a listener');
        return context.listener;
      case 'P':
        if (!this.draft.perListener) return undefined;
        context.listener ??= this.defaultListener(name);
        return context.listener;
      case 'L+':
        context.listener ??= this.defaultListener(name);
        return context.listener;
      default:
        return undefined;
    }
  }

  /** The default listener that an option above every `listener` speaks about (contract broker §2.5). */
  private defaultListener(name: string): ListenerDraft {
    if (this.draft.defaultListener === undefined) {
      this.report('notice', `Creating default listener due to '${name}' option.`);
      this.report('notice', `It is best to define a 'listener' above the '${name}' option.`);
      this.draft.defaultListener = newListener();
    }
    return this.draft.defaultListener;
  }

  private applyUnknown(name: string, line: ConfLine, context: FileContext, position: ConfPosition): void {
    const prefix = PLUGIN_OPTION_PREFIXES.find((start) => name.startsWith(start));
    if (prefix === undefined) throw new ConfValueError(`Unknown configuration variable '${name}'.`);
    if (context.plugin === undefined) throw requires(name, 'plugin/global_plugin/plugin_load');
    if (name === prefix) throw new ConfValueError(`Invalid '${prefix}' config option.`);
    const key = name.slice(prefix.length);
    if (!context.plugin.set(key, readText(key, line.rest)))
      this.report('warning', `Warning: The '${name}' option has no effect. (${placeOf(position)})`);
  }

  private checkRepetition(row: ConfOption, name: string, listener: ListenerDraft | undefined): void {
    const repeat = row.repeat ?? (row.type === 'string' || row.type === 'duration' ? 'error' : 'replace');
    if (repeat !== 'error') return;
    if (listener === undefined ? this.given.has(row.name) : listener.options.has(row.name)) {
      throw new ConfValueError(`Duplicate '${name}' value in configuration.`);
    }
    if (listener === undefined) this.given.add(row.name);
  }

  private refuse(row: ConfOption, name: string, value: ConfValue, position: ConfPosition): void {
    if (row.harmless?.includes(value) === true) return;
    const why = row.advice === undefined ? '' : `: ${row.advice}`;
    throw new ConfError(`Error: The '${name}' option is not supported by tsmqtt-broker${why}.`, position);
  }

  private warnIgnored(row: ConfOption, name: string, value: ConfValue, position: ConfPosition): void {
    if (row.warning === undefined || row.harmless?.includes(value) === true) return;
    // The two that the reference warns about keep its words.
    const text =
      row.type === 'anything' ? this.reference(row, name) : `Warning: The '${name}' option ${row.warning}.`;
    this.report('warning', `${text} (${placeOf(position)})`);
  }

  private reference(row: ConfOption, name: string): string {
    return name === 'dhparamfile' ? `${name} ${row.warning}.` : `The '${name}' option ${row.warning}.`;
  }

  private set(row: ConfOption, value: ConfValue, listener: ListenerDraft | undefined): void {
    if (row.sets === undefined) return;
    // The table's tests hold type and key together.
    if ('broker' in row.sets) (this.draft.broker as Record<BrokerKey, unknown>)[row.sets.broker] = value;
    else if ('security' in row.sets) {
      const security = listener?.security ?? this.draft.broker;
      (security as Record<SecurityKey, unknown>)[row.sets.security] = value;
    } else (listener!.settings as Record<ListenerKey, unknown>)[row.sets.listener] = value;
  }

  private include(directory: string, context: FileContext, position: ConfPosition): void {
    if (context.includedFrom !== undefined) {
      throw new ConfValueError('The include_dir option is only valid in the main configuration file.');
    }
    let names: readonly string[];
    try {
      names = this.files.readDir(directory);
    } catch {
      throw new ConfValueError(`Unable to open include_dir '${directory}'.`);
    }
    for (const name of names.filter(isIncluded).sort(compareIncluded)) {
      const path = directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
      this.report('information', `Loading config file '${path}'`);
      this.readFile(path, position);
    }
  }
}

function requires(name: string, what: string): ConfValueError {
  return new ConfValueError(`The '${name}' option requires ${what} to be defined first.`);
}
