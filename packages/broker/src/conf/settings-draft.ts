import { ALL_LOG_TYPES } from '../log/log-type-table.js';
import {
  type BrokerSettings,
  DEFAULT_LISTENER,
  DEFAULT_SECURITY,
  DEFAULT_SETTINGS,
  type ListenerSettings,
  type LogType,
  type SecuritySettings,
} from '../settings.js';
import { type ConfError, type ConfPosition, placeOf } from './conf-error.js';
import { Plugins } from './plugins.js';
import { checkTlsOptions } from './tls-options.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One `log_dest`. */
export type LogDestChange =
  | Partial<Pick<BrokerSettings['log'], 'stdout' | 'stderr' | 'syslog' | 'topic' | 'file'>>
  | 'none';

/** A listener while the configuration is read. */
export interface ListenerDraft {
  readonly settings: Mutable<ListenerSettings>;
  /** Its own security settings, in force with `per_listener_settings`. */
  readonly security: Mutable<SecuritySettings>;
  /** Options that were set, with the place of the last, for what depends on it afterwards. */
  readonly options: Map<string, ConfPosition>;
}

/** Where a listener listens. */
export type Place = Pick<ListenerSettings, 'port' | 'host' | 'path'>;

/** @param place Default: port 1883 of all addresses. */
export function newListener({ port, host, path }: Place = DEFAULT_LISTENER): ListenerDraft {
  const settings = { ...DEFAULT_LISTENER, port, host, path };
  return { settings, security: { ...DEFAULT_SECURITY }, options: new Map() };
}

/** The settings while the configuration is read. */
export class SettingsDraft {
  readonly broker: Mutable<BrokerSettings> = { ...DEFAULT_SETTINGS };
  readonly log: Mutable<BrokerSettings['log']> = { ...DEFAULT_SETTINGS.log };
  readonly listeners: ListenerDraft[] = [];
  readonly plugins = new Plugins();
  /** What ends the start when the security files are read; known when all is read. */
  refusal: ConfError | undefined;
  /** `per_listener_settings`. */
  perListener = false;
  /** The listener that `port`, `bind_address` and options above every `listener` speak about. */
  defaultListener: ListenerDraft | undefined;
  /** `port` or `bind_address` was given: the default listener is opened. */
  opensDefault = false;
  bindPosition: ConfPosition | undefined;
  /** The last `log_dest syslog`. */
  syslogPosition: ConfPosition | undefined;
  private logTypes: Set<LogType> | undefined;
  private logDestGiven = false;

  /** The first `log_type` replaces the default; `none` clears, `all` sets everything (contract broker §5). */
  addLogType(word: string): void {
    if (word === 'none') this.logTypes = new Set();
    else if (word === 'all') this.logTypes = new Set(ALL_LOG_TYPES);
    else this.logTypes = (this.logTypes ?? new Set()).add(word as LogType);
  }

  /** The first `log_dest` replaces the default, `none` clears what came before. */
  addLogDest(change: LogDestChange): void {
    if (change === 'none' || !this.logDestGiven) {
      Object.assign(this.log, { stdout: false, stderr: false, syslog: false, topic: false, file: undefined });
    }
    this.logDestGiven = true;
    if (change !== 'none') Object.assign(this.log, change);
  }

  /**
   * What the configuration says in the end.
   *
   * @param localPorts ports of the loopback listeners where no listener is configured (`-p`); default 1883.
   * @param warn told what has no effect.
   */
  finish(localPorts: readonly number[], warn: (text: string) => void): BrokerSettings {
    const localOnly = this.listeners.length === 0 && !this.opensDefault;
    const drafts = [...this.listeners];
    if (this.defaultListener !== undefined) {
      if (this.opensDefault) drafts.push(this.defaultListener);
      else this.warnAboutDefault(this.defaultListener, localOnly, warn);
    }
    const loopbackDraft = this.defaultListener ?? newListener();
    this.refusal = this.plugins.apply(this.securityDrafts(loopbackDraft));
    const loopback = this.finishListener(loopbackDraft);
    const ports = localPorts.length === 0 ? [DEFAULT_LISTENER.port] : localPorts;
    return {
      ...this.broker,
      listeners: localOnly
        ? ports.map((port) => ({ ...loopback, port, host: undefined }))
        : drafts.map((draft) => this.finishListener(draft)),
      localOnly,
      log: { ...this.log, types: this.logTypes === undefined ? this.log.types : [...this.logTypes] },
    };
  }

  /** Whose security settings there are. */
  private securityDrafts(loopback: ListenerDraft): Mutable<SecuritySettings>[] {
    if (!this.perListener) return [this.broker];
    return [...this.listeners, loopback].map(({ security }) => security);
  }

  private finishListener(draft: ListenerDraft): ListenerSettings {
    checkTlsOptions(draft);
    const { settings, security } = draft;
    return { ...settings, security: this.perListener ? { ...security } : undefined };
  }

  // T-1: the reference throws these values away without a word; beside listeners they mean none of them.
  private warnAboutDefault(draft: ListenerDraft, localOnly: boolean, warn: (text: string) => void): void {
    for (const [name, position] of draft.options) {
      const effect = localOnly
        ? 'is set without a listener: it applies to the local only listeners'
        : 'is set above the first listener: it applies to none';
      warn(`Warning: The '${name}' option ${effect}. (${placeOf(position)})`);
    }
  }
}
