import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../test/memory-io.js';
import { runCommandLine } from './command-line.js';
import { crossCheckPub, crossCheckRr, crossCheckSub } from './cross-checks.js';
import type { Settings, Tool } from './settings.js';

const HINT = "\nUse 'PROG --help' to see usage.\n";

const CROSS_CHECKS = { pub: crossCheckPub, sub: crossCheckSub, rr: crossCheckRr };

/** Runs the command line of `tool` in front of a program that only makes the tool's own checks. */
async function outcome(tool: Tool, args: readonly (string | Uint8Array)[], env: Record<string, string> = {}) {
  const io = new MemoryIo({ env });
  let settings: Settings | undefined;
  const code = await runCommandLine(tool, bytes(args), io, async (read) => {
    CROSS_CHECKS[tool](read);
    settings = read;
    return 0;
  });
  return { code, stdout: io.out.toString(), stderr: io.err, settings };
}

async function expectError(tool: Tool, args: readonly (string | Uint8Array)[], text: string) {
  expect(await outcome(tool, args)).toEqual({
    code: 1,
    stdout: '',
    stderr: text + HINT,
    settings: undefined,
  });
}

/** Nouns of cli §4, written down here once more: the table must not be its own witness. */
const NOUNS: readonly (readonly [args: string, tools: string, error: string])[] = [
  ['-A', 'PSR', '-A argument given but no address'],
  ['-C', 'S', '-C argument given but no count'],
  ['-e', 'R', '-e argument given but no response topic'],
  ['-f', 'PR', '-f argument given but no file'],
  ['--file', 'PR', '-f argument given but no file'],
  ['-F', 'SR', '-F argument given but no format'],
  ['-h', 'PSR', '-h argument given but no host'],
  ['--host', 'PSR', '-h argument given but no host'],
  ['-i', 'PSR', '-i argument given but no id'],
  ['--id', 'PSR', '-i argument given but no id'],
  ['-I', 'PSR', '-I argument given but no id prefix'],
  ['--id-prefix', 'PSR', '-I argument given but no id prefix'],
  ['-k', 'PSR', '-k argument given but no keepalive'],
  ['--keepalive', 'PSR', '-k argument given but no keepalive'],
  ['-m', 'PR', '-m argument given but no message'],
  ['--message', 'PR', '-m argument given but no message'],
  ['-M', 'PSR', '-M argument given but max_inflight not'],
  ['-o', 'PSR', '-o argument given but no options file'],
  ['-p', 'PSR', '-p argument given but no port'],
  ['--port', 'PSR', '-p argument given but no port'],
  ['-P', 'PSR', '-P argument given but no password'],
  ['--pw', 'PSR', '-P argument given but no password'],
  ['--pw-file', 'PSR', '--pw-file argument given but no password file'],
  ['-q', 'PSR', '-q argument given but no QoS'],
  ['--qos', 'PSR', '-q argument given but no QoS'],
  ['--random-filter', 'S', '--random-filter argument given but no chance'],
  ['--repeat', 'P', '--repeat argument given but no count'],
  ['--repeat-delay', 'P', '--repeat-delay argument given but no time'],
  ['--retain-handling', 'SR', '--retain-handling argument given but no option'],
  ['-t', 'PSR', '-t argument given but no topic'],
  ['--topic', 'PSR', '-t argument given but no topic'],
  ['-T', 'S', '-T argument given but no topic filter'],
  ['--filter-out', 'S', '-T argument given but no topic filter'],
  ['-U', 'S', '-U argument given but no unsubscribe topic'],
  ['--unsubscribe', 'S', '-U argument given but no unsubscribe topic'],
  ['-u', 'PSR', '-u argument given but no username'],
  ['--username', 'PSR', '-u argument given but no username'],
  ['-V', 'PSR', '--protocol-version argument given but no version'],
  ['--protocol-version', 'PSR', '--protocol-version argument given but no version'],
  ['-W', 'SR', '-W argument given but no timeout'],
  ['--will-payload', 'PSR', '--will-payload argument given but no will payload'],
  ['--will-qos', 'PSR', '--will-qos argument given but no will QoS'],
  ['--will-topic', 'PSR', '--will-topic argument given but no will topic'],
  ['-x', 'PSR', '-x argument given but no session expiry interval'],
];

describe('a missing value (cli §4)', () => {
  for (const [option, tools, error] of NOUNS) {
    for (const [tool, letter] of [
      ['pub', 'P'],
      ['sub', 'S'],
      ['rr', 'R'],
    ] as const) {
      test(`${tool} ${option}`, () =>
        expectError(
          tool,
          ['-d', option],
          tools.includes(letter) ? `Error: ${error} specified.\n\n` : `Error: Unknown option '${option}'.\n`,
        ));
    }
  }
});

/** Values that are refused (cli §4, P-4). `{}` stands for the value. */
const VALUES: readonly (readonly [tool: Tool, option: string, values: readonly string[], error: string])[] = [
  ['sub', '-C', ['0', '-1', 'x', '1x', '', ' 1', '1.0', '99999999999'], 'Invalid message count "{}".\n\n'],
  [
    'pub',
    '-k',
    ['4', '0', '65536', 'abc', ''],
    'Invalid keepalive given, it must be between 5 and 65535 inclusive.\n\n',
  ],
  ['pub', '-M', ['0', '-1', 'x', '65536'], 'Maximum inflight messages must be greater than 0.\n\n'],
  ['pub', '-p', ['65536', '-1', 'abc', '', '1883x', '0x10'], 'Invalid port given: {}\n'],
  ['sub', '-q', ['3', '-1', '1x', 'abc', ''], 'Invalid QoS given: {}\n'],
  ['sub', '-W', ['0', 'x'], 'Invalid timeout "{}".\n\n'],
  ['pub', '-V', ['3', '3.1', 'mqttv4', '', 'toString'], 'Invalid protocol version argument given.\n\n'],
  ['pub', '-x', ['', 'abc', '1x', '0xg', '09', '1.5'], 'session-expiry-interval not a number.\n\n'],
  ['pub', '-x', ['-2', '4294967296', '0x100000000'], 'session-expiry-interval out of range.\n\n'],
  ['pub', '--will-qos', ['3', '-1', 'x'], 'Invalid will QoS {}.\n\n'],
  ['pub', '--repeat', ['0', '-3', 'x'], '--repeat argument must be >0.\n\n'],
  ['pub', '--repeat-delay', ['-1', '-0.5'], '--repeat-delay argument must be >=0.0.\n\n'],
  ['sub', '--random-filter', ['0', 'x', '100.1'], '--random-filter chance must be between 0.1-100.0\n\n'],
  ['sub', '--retain-handling', ['x', 'Always', ''], "Unknown value '{}' for --retain-handling.\n\n"],
  ['pub', '-t', ['', 'a+', '#', 'a/#'], "Invalid publish topic '{}', does it contain '+' or '#'?\n"],
  ['pub', '--will-topic', ['', 'a+'], "Invalid will topic '{}', does it contain '+' or '#'?\n"],
  [
    'sub',
    '-t',
    ['', 'a#', 'a+/b', '#a', 'a/b#/c'],
    "Invalid subscription topic '{}', are all '+' and '#' wildcards correct?\n",
  ],
  ['sub', '-T', ['', 'a#', 'a/#/b'], "Invalid filter topic '{}', are all '+' and '#' wildcards correct?\n"],
  [
    'sub',
    '-U',
    ['', 'a#', 'a/#/b'],
    "Invalid unsubscribe topic '{}', are all '+' and '#' wildcards correct?\n",
  ],
];

describe('a bad value (cli §4)', () => {
  for (const [tool, option, values, error] of VALUES) {
    for (const value of values) {
      test(`${tool} ${option} '${value}'`, () =>
        expectError(tool, [option, value], `Error: ${error.replace('{}', value)}`));
    }
  }

  const BAD_UTF8 = [Buffer.from([0xff]), Buffer.from([0xc0, 0x80]), Buffer.from('a\u0001')];
  for (const [tool, option] of [
    ['pub', '-t'],
    ['sub', '-t'],
    ['sub', '-T'],
    ['sub', '-U'],
    ['pub', '--will-topic'],
  ] as const) {
    for (const value of BAD_UTF8) {
      test(`${tool} ${option} ${value.toString('hex')}`, () =>
        expectError(tool, [option, value], `Error: Malformed UTF-8 in ${option} argument.\n\n`));
    }
  }

  test('a second payload, also without its value', async () => {
    const text = 'Error: Only one type of message can be sent at once.\n\n';
    await expectError('pub', ['-m', 'a', '-m', 'b'], text);
    await expectError('pub', ['-n', '-m'], text);
    for (const second of ['-l', '-s', '-n']) await expectError('pub', ['-f', 'x', second], text);
  });

  test('-i with -I, in either order', async () => {
    const text = 'Error: -i and -I argument cannot be used together.\n\n';
    await expectError('pub', ['-i', 'a', '-I', 'b'], text);
    await expectError('sub', ['-I', 'a', '-i'], text);
  });

  test('-o twice, and -o as a value', async () => {
    await expectError('pub', ['-o', 'a', '-o', 'b'], 'Error: Duplicate -o argument given.\n\n');
    await expectError(
      'pub',
      ['-t', 'a', '-m', '-o'],
      'Error: -o argument given but no options file specified.\n\n',
    );
  });
});

describe('unknown options (cli §2)', () => {
  test.each([
    ['-z'],
    ['--bogus'],
    ['word'],
    [''],
    ['-dv'],
    ['-q1'],
    ['--'],
    ['--to'],
    ['--debug=1'],
    ['--bogus=1'],
    ['-t=a'],
  ])('%j', (argument) => expectError('sub', [argument, '-t'], `Error: Unknown option '${argument}'.\n`));

  test('are repeated byte for byte', async () => {
    const io = new MemoryIo();
    await runCommandLine('pub', [Buffer.from('-\xff', 'latin1')], io, async () => 0);
    expect(io.errBytes.toString('latin1')).toBe(`Error: Unknown option '-\xff'.\n${HINT}`);
  });
});

describe('cross-option checks (cli §5)', () => {
  test.each([
    ['pub', ['--will-payload', 'x'], 'Will payload given, but no will topic given.'],
    ['pub', ['--will-retain'], 'Will retain given, but no will topic given.'],
    ['pub', ['--will-payload', 'x', '--will-retain'], 'Will payload given, but no will topic given.'],
    ['sub', ['-c', '-t', 'a'], 'You must provide a client id if you are using the -c option.'],
    ['sub', ['-c', '-t', 'a', '-I', 'x'], 'You must provide a client id if you are using the -c option.'],
    [
      'sub',
      ['-c', '-t', 'a', '-V', '5'],
      'You must provide a client id if you are using an infinite session expiry interval.',
    ],
    [
      'pub',
      ['-x', '-1', '-t', 'a', '-n'],
      'You must provide a client id if you are using an infinite session expiry interval.',
    ],
    ['sub', [], 'You must specify a topic to subscribe to (-t) or unsubscribe from (-U).'],
    ['sub', ['-T', 'a'], 'You must specify a topic to subscribe to (-t) or unsubscribe from (-U).'],
  ] as const)('%s %j', (tool, args, text) => expectError(tool, args, `Error: ${text}\n`));

  test('-R with --retained-only: a blank line before, no hint behind', async () => {
    expect(await outcome('sub', ['-t', 'a', '-R', '--retained-only'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: "\nError: Combining '-R' and '--retained-only' makes no sense.\n",
    });
  });

  test.each([[[]], [['-t', 'a']], [['-m', 'a']], [['-l']]])('pub %j prints its whole usage', async (args) => {
    const { code, stdout, stderr } = await outcome('pub', args);
    expect([code, stderr]).toEqual([1, 'Error: Both topic and message must be supplied.\n']);
    expect(stdout).toContain('PROG version 0.1.0');
    expect(stdout).toContain('--stdin-line');
  });

  test('--strict-filters gives the error for what P-18 would take', async () => {
    expect((await outcome('sub', ['-t', 'a/#/b'])).code).toBe(0);
    await expectError(
      'sub',
      ['-t', 'a/#/b', '--strict-filters'],
      "Error: Invalid subscription topic 'a/#/b', are all '+' and '#' wildcards correct?\n",
    );
  });

  test('--quiet does not hide argument errors', () =>
    expectError('sub', ['--quiet', '-z'], "Error: Unknown option '-z'.\n"));
});
