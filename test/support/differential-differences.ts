import type { DifferentialCase, Outcome } from './differential.js';

/** What the programs say and do otherwise than Debian's 2.0.11 wherever it comes up, and why. */
export interface Difference {
  /** Decision or deviation of the contract; or the section that says what 2.1.2, the contract's version, does. */
  readonly number: string;
  readonly what: string;
  /** Makes our outcome of the reference's, where this is about it; one that never changes anything is out of date. */
  readonly rewrite: (theirs: Outcome, given: DifferentialCase) => Partial<Outcome> | undefined;
}

/** A difference in the words of stderr. */
const stderr =
  (pattern: RegExp, replacement: string): Difference['rewrite'] =>
  (theirs) => ({ stderr: theirs.stderr.replace(pattern, replacement) });

const has = ({ args }: DifferentialCase, ...options: readonly string[]) =>
  options.some((option) => args.includes(option));

const CODE_OF_REASON: Readonly<Record<string, number>> = {
  'Unspecified error': 128,
  'Not authorized': 135,
  'Quota exceeded': 151,
};

// biome-ignore format: one row a line
export const DIFFERENCES: readonly Difference[] = [
  // The reference's next release, which the contract describes, changed its mind.
  { number: '2.1.2 (cli §17)', what: 'no full stop at the end of runtime errors', rewrite: stderr(/^((?:Connection error|Error): (?:Connection Refused: .*|The c.*|A network .*))\.$/gm, '$1') },
  { number: '2.1.2 (cli §9.8)', what: 'a look-up that fails has no full stop inside', rewrite: stderr(/Lookup error\.\)/g, 'Lookup error)') },
  { number: '2.1.2 (cli §4)', what: 'the scheme of a URL: capital letter', rewrite: stderr(/^Error: unsupported URL/, 'Error: Unsupported URL') },
  { number: '2.1.2 (cli §7)', what: 'which command of -D is unknown', rewrite: (theirs, { args }) => ({ stderr: theirs.stderr.replace('Invalid command given', () => `Invalid command ${args[args.indexOf('-D') + 1]} given`) }) },
  { number: '2.1.2 (cli §7)', what: 'which property of -D is unknown', rewrite: (theirs, { args }) => ({ stderr: theirs.stderr.replace('Invalid property name given', () => `Invalid property name ${args[args.indexOf('-D') + 2]} given`) }) },
  { number: '2.1.2 (cli §5)', what: 'sub names the options that it misses', rewrite: stderr(/a topic to subscribe to\.\n/, 'a topic to subscribe to (-t) or unsubscribe from (-U).\n') },
  { number: '2.1.2 (cli §11.4)', what: 'why a file cannot be read', rewrite: stderr(/Unable to open file (".*")\.\n/, 'Unable to read file $1: No such file or directory.\n') },
  { number: '2.1.2 (cli §17)', what: 'invalid input has other words', rewrite: stderr(/Invalid function arguments provided\./, 'Invalid input') },
  // Decisions.
  { number: 'P-3', what: '--help and --version exit 0', rewrite: (theirs, given) => (has(given, '--help', '--version') && theirs.stderr === '' && theirs.code === 1 ? { code: 0 } : undefined) },
  { number: 'P-9', what: 'the first error names the endpoint', rewrite: ({ stderr: text }) => ({ stderr: text.replace(/^(Error: Connection refused)$/m, '$1 (127.0.0.1:1)').replace(/^(Error: No such file or directory)$/m, '$1 (/nonexistent/s)') }) },
  { number: 'P-1', what: 'a message that the broker does not take is the exit code', rewrite: ({ stderr: text }) => { const reason = /^Warning: Publish \d+ failed: (.*)\.$/m.exec(text)?.[1]; return reason === undefined ? undefined : { code: CODE_OF_REASON[reason]! }; } },
  { number: 'P-2', what: 'all subscriptions refused: the exit code is the first reason', rewrite: ({ stderr: text }) => (text.includes('All subscription requests were denied.') ? { code: 128 } : undefined) },
];
