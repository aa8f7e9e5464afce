import type { BrokerSettings, ListenerSettings, SecuritySettings } from '../settings.js';

/** Kinds of values and how they are read (contract broker §2.1). */
export type ConfValueType =
  /** `true`, `false`, `1`, `0`; what follows the first word is ignored. */
  | 'boolean'
  /** Decimal, hexadecimal or octal as in C; what follows the first word is ignored. */
  | 'integer'
  /** The rest of the line, trimmed. */
  | 'string'
  /** One of `choices`, first word. */
  | 'choice'
  /** Number and unit, in seconds when read. */
  | 'duration'
  /** Never looked at. */
  | 'anything';

/**
 * Where a line may stand: G anywhere · P as G, but with `per_listener_settings` as L+ · L below a `listener` · L+ below a `listener`, or
 * for the default listener · B below a `connection` · X below a plugin.
 */
export type ConfScope = 'G' | 'P' | 'L' | 'L+' | 'B' | 'X';

/** What tsmqtt-broker does with a line that is right. */
export type ConfSupport =
  /** It does what Mosquitto does. */
  | 'honoured'
  /** It starts, and the option changes nothing; a warning says so. */
  | 'ignored'
  /** It names file and line and does not start. */
  | 'refused';

/** A key of settings that an option sets as it was read. */
export type SecurityKey = keyof SecuritySettings;
export type BrokerKey = Exclude<keyof BrokerSettings, SecurityKey | 'listeners' | 'localOnly' | 'log'>;
export type ListenerKey = Exclude<keyof ListenerSettings, 'port' | 'host' | 'path' | 'security'>;

/** One option of mosquitto.conf: everything that the parser, the errors and the reference say about it. */
export interface ConfOption {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly type: ConfValueType;
  readonly scope: ConfScope;
  /** The contract's tier. */
  readonly tier: 'A' | 'B' | 'C';
  /** What holds without the option, as it would be written; absent: nothing. */
  readonly default?: string;
  /** On reload: Y, D applied · L applied to new connections of the listener · N only at the next start. */
  readonly hup: 'Y' | 'D' | 'L' | 'N';
  readonly support: ConfSupport;
  readonly doc: string;

  /** Words of a `choice`. */
  readonly choices?: readonly string[];
  /** Bounds of an `integer`, or of the length of a `string`. */
  readonly range?: readonly [least: number, most: number];
  /** Text for a number or length out of `range`, without `Error: `; absent: `Invalid 'X' value (V).` */
  readonly rangeError?: string;
  /** A second line is an error, or replaces the first, or adds to it. Default: `error` for strings, else `replace`. */
  readonly repeat?: 'error' | 'replace' | 'add';
  /** End of the notice that the option goes away in Mosquitto 3.0. */
  readonly deprecated?: string;
  /** For an ignored option: the warning. */
  readonly warning?: string;
  /** For a refused option: why, and what to do, behind the error. */
  readonly advice?: string;
  /** Values, as read, for which nothing need be refused or warned about: they ask for what happens anyway. */
  readonly harmless?: readonly (boolean | number | string)[];
  /** The setting that takes the value as it was read; absent: an effect of its own, or none. */
  readonly sets?:
    | { readonly broker: BrokerKey }
    | { readonly listener: ListenerKey }
    /** The broker's, or with `per_listener_settings` the listener's own. */
    | { readonly security: SecurityKey };
  /** Numbers outside of these mean "no limit", which is written as `as`. */
  readonly unlimited?: { readonly below: number; readonly above?: number; readonly as: number };
}
