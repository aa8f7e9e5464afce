import type { Settings, Tool } from './settings.js';

/** Headings of the help text, in order. */
export const OPTION_GROUPS = [
  'Connection',
  'TLS',
  'MQTT session',
  'Will',
  'Publishing',
  'Subscribing',
  'Output',
  'General',
] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];

/** The value that follows an option. */
export interface OptionValue {
  /** Stands for the value in help. */
  readonly placeholder: string;
  /** Ends the error "argument given but no ... specified" (cli §4). */
  readonly noun: string;
  /** The words before "specified." where they are not `no NOUN`. */
  readonly missing?: string;
  /** How errors spell the option where that is not its first name. */
  readonly spelling?: string;
  /** All values there are, for help and completion. */
  readonly choices?: readonly string[];
}

/** One option: everything that parser, help, completion and reference know about it. */
export interface OptionRow {
  /** Short form first; errors spell this one whatever was typed (cli §4). */
  readonly names: readonly [string, ...string[]];
  readonly tools: readonly Tool[];
  readonly group: OptionGroup;
  /** Absent: the option is a flag. */
  readonly value?: OptionValue;
  /** Tools in which giving it again adds another value; elsewhere the last one wins. */
  readonly repeatable?: readonly Tool[];
  readonly help: string;
  /** What holds without it, where help should say so. */
  readonly initially?: string;
  /** Conflicts, looked at before the value is (cli §4: a second `-m` without a value is a second payload). */
  readonly guard?: (settings: Settings) => void;
  /** Writes the value into the settings, or throws ArgumentError. Flags get an empty value. */
  readonly apply: (settings: Settings, value: Buffer) => void;
  /**
   * For an option of several arguments, instead of `apply`: gets all that follow it, takes what belongs to it, and
   * answers how many arguments those were. Throws ArgumentError where they are too few.
   */
  readonly applyWords?: (settings: Settings, following: readonly Buffer[]) => number;
  /** Cuts its value in an options file into those arguments. */
  readonly wordsOfLine?: (value: Buffer) => Buffer[];
  /** Answers at once instead of running the program: nothing behind it is looked at (cli §1.4). */
  readonly answers?: 'help' | 'version' | 'completion';
}
