import { byteText } from '@tsmqtt/cli-kit/program';
import { MAX_ITERATIONS, MIN_SCRAM_ITERATIONS, SCRAM_KIND } from '@tsmqtt/credentials';
import { CREDENTIAL_KINDS, type CredentialKind, type CredentialSettings } from './credential-kind.js';
import { Failure } from './failure.js';
import { ARGUMENT_COUNTS, CONFLICTS, type Flag, OPTIONS } from './option-table.js';
import { usernameProblem } from './username.js';

/** Longest password on the command line or in a list, bytes; also the longest that MQTT can carry. */
export const MAX_PASSWORD_LENGTH = 65_535;

/** Where the password comes from. */
export type PasswordSource = { readonly from: 'prompt' | 'stdin' } | { readonly given: Buffer };

/** What the user asked for. */
export type Command =
  | { readonly kind: 'help' | 'version' | 'usage' }
  | { readonly kind: 'list'; readonly path: Buffer }
  | { readonly kind: 'hash-all'; readonly path: Buffer; readonly settings: CredentialSettings }
  | {
      readonly kind: 'import';
      readonly path: Buffer;
      /** Into a new file. */
      readonly create: boolean;
      readonly settings: CredentialSettings;
    }
  | { readonly kind: 'delete'; readonly path: Buffer; readonly username: Buffer }
  | {
      readonly kind: 'verify';
      readonly path: Buffer;
      readonly username: Buffer;
      readonly source: PasswordSource;
    }
  | {
      readonly kind: 'create' | 'set';
      readonly path: Buffer;
      readonly username: Buffer;
      readonly source: PasswordSource;
      readonly settings: CredentialSettings;
    };

/**
 * Reads the command line (cli §18.1). `usage` is the answer to a wrong number of arguments.
 *
 * @throws Failure with the contract's error text.
 */
export function parseArguments(argv: readonly Buffer[]): Command {
  const flags = new Set<Flag>();
  const settings: { kind?: CredentialKind; iterations?: number } = {};
  let index = 0;
  for (; index < argv.length; index += 1) {
    // Whatever is not an option is FILE, `-x` too, and ends the options.
    const option = OPTIONS.find(({ name }) => name === argv[index]!.toString('latin1'));
    if (option === undefined) break;
    const { effect } = option;
    if (effect === 'help' || effect === 'version') return { kind: effect };
    if (option.value === undefined) {
      flags.add(effect as Flag);
      continue;
    }
    index += 1;
    const value = argv[index];
    if (value === undefined) {
      throw new Failure(byteText`Error: ${option.name} argument given but not enough other arguments.\n`);
    }
    if (effect === 'hash') settings.kind = parseKind(value);
    else settings.iterations = parseIterations(value);
  }
  if (settings.kind === SCRAM_KIND && (settings.iterations ?? Infinity) < MIN_SCRAM_ITERATIONS) {
    throw new Failure(
      byteText`Error: Number of iterations must be >= ${MIN_SCRAM_ITERATIONS} for ${SCRAM_KIND}.\n`,
    );
  }
  rejectConflicts(flags);
  return commandFrom(flags, argv.slice(index), settings);
}

function commandFrom(
  flags: ReadonlySet<Flag>,
  args: readonly Buffer[],
  settings: CredentialSettings,
): Command {
  const count = ARGUMENT_COUNTS.find(({ when }) => when.every((flag) => flags.has(flag)))!;
  if (args.length < count.least || args.length > count.most) {
    if (count.missing === undefined) return { kind: 'usage' };
    throw new Failure(byteText`Error: ${count.missing}.\n`);
  }
  const path = args[0]!;
  if (flags.has('hashAll')) return { kind: 'hash-all', path, settings };
  if (flags.has('import')) return { kind: 'import', path, create: flags.has('create'), settings };
  if (flags.has('list')) return { kind: 'list', path };
  const username = args[1]!;
  const problem = usernameProblem(username);
  if (problem !== undefined) throw new Failure(byteText`Error: ${problem}\n`);
  if (flags.has('delete')) return { kind: 'delete', path, username };
  const source: PasswordSource = flags.has('batch')
    ? { given: args[2]! }
    : { from: flags.has('stdin') ? 'stdin' : 'prompt' };
  if (flags.has('verify')) return { kind: 'verify', path, username, source };
  if ('given' in source && source.given.length > MAX_PASSWORD_LENGTH) {
    throw new Failure(byteText`Error: Password must be less than 65536 characters long.\n`);
  }
  return { kind: flags.has('create') ? 'create' : 'set', path, username, source, settings };
}

function parseKind(value: Buffer): CredentialKind {
  const kind = CREDENTIAL_KINDS.find((name) => name === value.toString('latin1'));
  if (kind === undefined) throw new Failure(byteText`Error: Unknown hash type '${value}'\n`);
  return kind;
}

function parseIterations(value: Buffer): number {
  const text = value.toString('latin1');
  const iterations = Number(text);
  if (!/^\+?\d+$/.test(text) || iterations < 1) {
    throw new Failure(byteText`Error: Number of iterations must be > 0.\n`);
  }
  if (iterations > MAX_ITERATIONS) {
    throw new Failure(byteText`Error: Number of iterations must be <= ${MAX_ITERATIONS}.\n`);
  }
  return iterations;
}

function rejectConflicts(flags: ReadonlySet<Flag>): void {
  const nameOf = (flag: Flag) => OPTIONS.find(({ effect }) => effect === flag)!.name;
  for (const [first, second] of CONFLICTS) {
    if (flags.has(first) && flags.has(second)) {
      throw new Failure(byteText`Error: ${nameOf(first)} and ${nameOf(second)} cannot be used together.\n`);
    }
  }
}
