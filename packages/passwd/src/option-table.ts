/** Every option of the program, its help, and which ones exclude each other (cli §18.1, P-17). */

/** What an option does when it is met. */
export type OptionEffect = 'hash' | 'iterations' | 'help' | 'version' | Flag;

/** An option that is only there or not. */
export type Flag = 'batch' | 'create' | 'delete' | 'hashAll' | 'stdin' | 'import' | 'verify' | 'list';

interface OptionRow {
  readonly name: string;
  readonly effect: OptionEffect;
  /** Name of the value in the help, for options that take one. */
  readonly value?: string;
  readonly help: string;
}

// biome-ignore format: one row a line
export const OPTIONS: readonly OptionRow[] = [
  { name: '-b', effect: 'batch', help: 'take the password from the command line, where other users can see it' },
  { name: '-c', effect: 'create', help: 'create FILE; with - for FILE, write the entry to stdout' },
  { name: '-D', effect: 'delete', help: 'delete the user' },
  { name: '-H', effect: 'hash', value: 'HASH', help: 'sha512-pbkdf2 (default), sha512, argon2id, bcrypt, or scram-sha-256 in a file of its own' },
  { name: '-I', effect: 'iterations', value: 'N', help: 'iterations of sha512-pbkdf2 and scram-sha-256, default 10000' },
  { name: '-U', effect: 'hashAll', help: 'hash every password in FILE that is not hashed yet' },
  { name: '--stdin', effect: 'stdin', help: 'take the password from the first line of stdin, without asking' },
  { name: '--import', effect: 'import', help: 'add or change every user of the lines USERNAME:PASSWORD on stdin' },
  { name: '--verify', effect: 'verify', help: "exit 0 if the password is the user's, 1 if it is not" },
  { name: '--list', effect: 'list', help: 'print the names of the users' },
  { name: '--help', effect: 'help', help: 'print this text' },
  { name: '--version', effect: 'version', help: 'print the version' },
];

/** Synopses, for the usage text. */
export const SYNOPSES: readonly string[] = [
  '[-H HASH] [-I N] [-b | --stdin] [-c] FILE USERNAME [PASSWORD]',
  '-D FILE USERNAME',
  '[-H HASH] [-I N] -U FILE',
  '[-H HASH] [-I N] [-c] --import FILE',
  '--verify [--stdin] FILE USERNAME',
  '--list FILE',
];

/** Pairs that exclude each other, in the order in which they are reported. */
// biome-ignore format: one row a line
export const CONFLICTS: readonly (readonly [Flag, Flag])[] = [
  ['create', 'delete'],
  ['create', 'hashAll'],
  ['delete', 'hashAll'],
  ['batch', 'delete'],
  ['batch', 'stdin'],
  ['stdin', 'delete'],
  ['stdin', 'hashAll'],
  ['import', 'batch'],
  ['import', 'delete'],
  ['import', 'hashAll'],
  ['import', 'stdin'],
  ['verify', 'batch'],
  ['verify', 'create'],
  ['verify', 'delete'],
  ['verify', 'hashAll'],
  ['verify', 'import'],
  ['list', 'batch'],
  ['list', 'create'],
  ['list', 'delete'],
  ['list', 'hashAll'],
  ['list', 'import'],
  ['list', 'stdin'],
  ['list', 'verify'],
];

/** How many arguments stand behind the options, and what is said when they do not. */
export interface ArgumentCount {
  readonly when: readonly Flag[];
  readonly least: number;
  readonly most: number;
  /** What is missing; without it, the usage text is the answer. */
  readonly missing?: string;
}

/** The first row whose flags are all given decides. Extra arguments are ignored where `most` is infinite. */
// biome-ignore format: one row a line
export const ARGUMENT_COUNTS: readonly ArgumentCount[] = [
  { when: ['import'], least: 1, most: 1, missing: '--import argument given but password file missing' },
  { when: ['create', 'batch'], least: 3, most: Infinity, missing: '-c argument given but password file, username, or password missing' },
  { when: ['create'], least: 2, most: Infinity, missing: '-c argument given but password file or username missing' },
  { when: ['delete'], least: 2, most: Infinity, missing: '-D argument given but password file or username missing' },
  { when: ['hashAll'], least: 1, most: 1, missing: '-U argument given but password file missing' },
  { when: ['verify'], least: 2, most: 2, missing: '--verify argument given but password file or username missing' },
  { when: ['list'], least: 1, most: 1, missing: '--list argument given but password file missing' },
  { when: ['batch'], least: 3, most: 3 },
  { when: [], least: 2, most: 2 },
];
