import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Arguments, REQUEST, start } from '../test/run-rr.js';

const HINT = "\nUse 'PROG --help' to see usage.\n";

async function expectError(args: Arguments, text: string, hint = HINT): Promise<void> {
  const { io, ended } = start(args);
  expect({ code: await ended, out: io.out.toString(), err: io.err }).toEqual({
    code: 1,
    out: '',
    err: text + hint,
  });
}

const INCOMPLETE = 'Error: All of topic, message, and response topic must be supplied.\n';

// biome-ignore format: one row a line
const ERRORS: readonly (readonly [section: string, args: Arguments, text: string])[] = [
  ['§5 13', [], INCOMPLETE],
  ['§5 13', ['-t', 'a', '-e', 'b'], INCOMPLETE],
  ['§5 13', ['-t', 'a', '-m', 'x'], INCOMPLETE],
  ['§5 13', ['-e', 'b', '-n'], INCOMPLETE],
  // The payload is not looked for where it would be of no use.
  ['§5 13', ['-f', '/nonexistent'], INCOMPLETE],
  ['§5 13', ['-s', '--quiet'], INCOMPLETE],
  ['§4', ['-e'], 'Error: -e argument given but no response topic specified.\n\n'],
  ['§4', ['-e', 'a/+'], "Error: Invalid response topic 'a/+', does it contain '+' or '#'?\n"],
  ['§4', ['-e', ''], "Error: Invalid response topic '', does it contain '+' or '#'?\n"],
  ['§4', ['-e', Buffer.from([0xff])], 'Error: Malformed UTF-8 in -e argument.\n\n'],
  ['§4', ['-t', '#'], "Error: Invalid publish topic '#', does it contain '+' or '#'?\n"],
  ['§4', ['-t', Buffer.from([0xff])], 'Error: Malformed UTF-8 in -t argument.\n\n'],
  ['§4', ['-W'], 'Error: -W argument given but no timeout specified.\n\n'],
  ['§4', ['-W', '0'], 'Error: Invalid timeout "0".\n\n'],
  ['§4', ['-q', '3'], 'Error: Invalid QoS given: 3\n'],
  ['§4', ['-V', '4'], 'Error: Invalid protocol version argument given.\n\n'],
  ['§4', ['-F'], 'Error: -F argument given but no format specified.\n\n'],
  ['§4', ['-F', '%'], 'Error: Incomplete format specifier.\n'],
  ['§4', ['-F', '%z'], "Error: Invalid format specifier 'z'.\n"],
  ['§4', ['-F', '\\'], 'Error: Incomplete escape specifier.\n'],
  ['§4', ['-F', '\\q'], "Error: Invalid escape specifier 'q'.\n"],
  ['§4', ['--retain-handling', 'x'], "Error: Unknown value 'x' for --retain-handling.\n\n"],
  ['§4', ['-m', 'a', '-n'], 'Error: Only one type of message can be sent at once.\n\n'],
  ['§4', ['-s', '-f'], 'Error: Only one type of message can be sent at once.\n\n'],
  ['§5 9', [...REQUEST, '-c', '-V', '311'], 'Error: You must provide a client id if you are using the -c option.\n'],
  ['§5 8', [...REQUEST, '-c'], 'Error: You must provide a client id if you are using an infinite session expiry interval.\n'],
  ['§5 1', ['--will-payload', 'x'], 'Error: Will payload given, but no will topic given.\n'],
];

describe('errors in the arguments (cli §4, §5)', () => {
  test.each(ERRORS)('%s %j', (_, args, text) => expectError(args, text));

  const SUBSCRIBERS = [
    '-C',
    '-U',
    '-T',
    '-E',
    '--retained-only',
    '--remove-retained',
    '--random-filter',
    '-w',
  ];
  const PUBLISHERS = ['-l', '--stdin-line', '-r', '--retain', '--repeat', '--repeat-delay'];
  test.each([...SUBSCRIBERS, ...PUBLISHERS])('%s is not an option of rr (cli §3)', (option) =>
    expectError([option, '1'], `Error: Unknown option '${option}'.\n`),
  );
});

describe('what is found when it is to be used', () => {
  const INVALID_ID = 'Error: Invalid id and/or clean_session.\n';
  // biome-ignore format: one row a line
  test.each<[Arguments, string]>([
    [['-i', ''], INVALID_ID],
    [['-i', Buffer.from([0xff])], INVALID_ID],
    [['-c', '-x', '10'], INVALID_ID],
    [['-V', '311', '-P', 'x'], 'Error: Problem setting username and/or password.\n'],
    [['-u', Buffer.from([0xff])], 'Error: Problem setting username and/or password.\n'],
  ])('%j (cli §5)', async (args, text) => {
    await expectError([...REQUEST, ...args], text, '');
    const { io, ended } = start([...REQUEST, '--quiet', ...args]);
    expect([await ended, io.err]).toEqual([1, '']);
  });

  test('a file that is not there (cli §11.4)', () =>
    expectError(
      ['-t', 'a', '-e', 'b', '-f', '/nonexistent'],
      'Error: Unable to read file "/nonexistent": No such file or directory.\nError loading input file "/nonexistent".\n',
      '',
    ));

  test('nothing on stdin (cli §11.4)', async () => {
    const { io, ended } = start(['-t', 'a', '-e', 'b', '-s'], { stdin: '' });
    expect([await ended, io.err]).toEqual([
      1,
      'Error: Zero length input.\nError loading input from stdin.\n',
    ]);
  });

  test.each<[string, Arguments]>([
    ['the response topic', ['-D', 'publish', 'response-topic', 'x']],
    ['the response topic, before MQTT 5', ['-D', 'publish', 'response-topic', 'x', '-V', '311']],
    ['another property', Array(2).fill(['-D', 'publish', 'content-type', 'x']).flat()],
  ])('%s twice, with --quiet, too (cli §13)', (_, args) =>
    expectError(
      [...REQUEST, '--quiet', ...args],
      'Error in PUBLISH properties: Duplicate response topic.\n',
      '',
    ),
  );
});

describe('--help and --version (P-3)', () => {
  test('help has the options of rr', async () => {
    const { io, ended } = start(['--help']);
    expect(await ended).toBe(0);
    expect(io.out.toString()).toContain('PROG version');
    for (const option of ['-e', '--latency', '--pretty', '-W'])
      expect(io.out.toString()).toContain(`  ${option}`);
    expect(io.out.toString()).not.toContain('--stdin-line');
  });

  test('version', async () => {
    const { io, ended } = start(['--version']);
    expect([await ended, io.out.toString()]).toEqual([
      0,
      expect.stringMatching(/^PROG version \S+ running on \S+ \S+\.\n$/),
    ]);
  });
});

test('its options file is mosquitto_rr (cli §8.1)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsmqtt-rr-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'mosquitto_rr'), '-e a/#\n');
  const { io, ended } = start([], { env: { XDG_CONFIG_HOME: folder } });
  expect([await ended, io.err]).toEqual([
    1,
    `Error: Invalid response topic 'a/#', does it contain '+' or '#'?\n${HINT}`,
  ]);
});
