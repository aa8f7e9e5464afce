import type { DifferentialCase, Tool } from './differential.js';

const BAD = Buffer.from([0x61, 0xff]);
type Args = readonly (string | Buffer)[];

const each = (tool: Tool, ...lists: readonly Args[]): DifferentialCase[] =>
  lists.map((args) => ({ tool, args }));

/** The same where the reference, which is older, says something else. */
const otherwise = (
  tool: Tool,
  number: string,
  ours: NonNullable<DifferentialCase['differs']>[1],
  ...lists: readonly Args[]
): DifferentialCase[] => lists.map((args) => ({ tool, args, differs: [number, ours] }));

const hint = (tool: Tool) => `\nUse 'mosquitto_${tool} --help' to see usage.\n`;
const invalid = (tool: Tool, kind: string, topic: string) => ({
  code: 1,
  stdout: '',
  stderr: `Error: Invalid ${kind} topic '${topic}', ${
    tool === 'pub' ? "does it contain '+' or '#'?" : "are all '+' and '#' wildcards correct?"
  }\n${hint(tool)}`,
});
const withoutCode = ({ stdout, stderr }: ReturnType<typeof invalid>) => ({ stdout, stderr });
const NAMES_OF_TOPICS = '2.1.2 (cli §10)';
const DEEP = '/'.repeat(201);
const LONG = 'x'.repeat(65536);

/** Options of both whose value is missing (cli §4). */
// biome-ignore format: a table
const VALUED = [
  '-A', '-h', '--host', '-p', '--port', '-L', '--url', '-k', '--keepalive', '-V', '--protocol-version', '-i', '--id',
  '-I', '--id-prefix', '-u', '--username', '-P', '--pw', '-M', '--will-topic', '--will-payload', '--will-qos', '-t',
  '--topic', '-q', '--qos', '--unix', '--proxy', '--cafile', '--capath', '--cert', '--key', '--keyform', '--ciphers',
  '--tls-version', '--tls-alpn', '--tls-engine', '--tls-engine-kpass-sha1', '--psk', '--psk-identity', '-x', '-D',
  '--property',
];

/** Values and combinations that are refused before anything is connected (cli §2, §4 to §7). */
export const ARGUMENT_CASES: readonly DifferentialCase[] = [
  ...each('pub', ...VALUED.map((option) => [option])),
  ...each('pub', ['-m'], ['--message'], ['-f'], ['--file'], ['--repeat'], ['--repeat-delay']),
  ...each('sub', ['-t'], ['-T'], ['-U'], ['-C'], ['-W'], ['-F'], ['--random-filter'], ['-h'], ['-x'], ['-D']),
  // Options that do not exist, or not here.
  ...each(
    'pub',
    ['-e'],
    ['-C', '1'],
    ['-v'],
    ['x'],
    [''],
    ['-dv'],
    ['--'],
    ['-q1'],
    ['--nonsense'],
    ['-T', 'a'],
  ),
  ...each('sub', ['-l'], ['-m', 'x'], ['-r'], ['x'], ['--repeat', '2'], ['-f', 'x'], ['-vC', '1']),
  ...each('pub', ['-t', 'a', BAD]),
  // Numbers.
  ...each('pub', ['-k', '4'], ['-k', '65536'], ['-k', '-1'], ['-k', '0'], ['-p', '-1'], ['-p', '65536']),
  ...each(
    'pub',
    ['-q', '3'],
    ['-q', '-1'],
    ['--will-qos', '3'],
    ['--will-qos', '-1'],
    ['-M', '0'],
    ['-M', '-3'],
  ),
  ...each('pub', ['--repeat', '0'], ['--repeat', '-1'], ['--repeat-delay', '-1'], ['--repeat-delay', '-0.5']),
  ...each('pub', ['-V', '6'], ['-V', ''], ['-V', '3'], ['-V', 'MQTTV5'], ['-V', '3.1.1']),
  ...each('pub', ['-x', 'abc'], ['-x', '5x'], ['-x', '4294967296'], ['-x', '-2'], ['-x', '1.5']),
  ...each('sub', ['-C', '0'], ['-C', '-1'], ['-W', '0'], ['-W', '-5'], ['--random-filter', '0']),
  ...each('sub', ['--random-filter', '0.05'], ['--random-filter', '-1'], ['-q', '4'], ['-M', '0']),
  // Payloads come once.
  ...each(
    'pub',
    ['-m', 'a', '-m', 'b'],
    ['-m', 'a', '-n'],
    ['-l', '-m', 'x'],
    ['-s', '-l'],
    ['-n', '-f', 'x'],
  ),
  ...each('pub', ['-n', '-n'], ['-l', '-l'], ['-n', '-m']),
  ...each('pub', ['-i', 'a', '-I', 'b'], ['-I', 'b', '-i', 'a']),
  ...each('sub', ['-i', 'a', '-I', 'b']),
  // Topics.
  ...each('pub', ['-t', 'a/+'], ['-t', '#'], ['-t', 'a+b'], ['-t', BAD], ['-t', 'a/#/b']),
  ...each('pub', ['--will-topic', 'a/#'], ['--will-topic', '+'], ['--will-topic', BAD]),
  ...each('pub', ['-t', '\u0001'], ['-t', '\u007f'], ['-t', '\u0080'], ['-t', '\ufdd0'], ['-t', '\uffff']),
  ...each('sub', ['-t', 'a#'], ['-t', 'a/b+'], ['-t', BAD], ['-t', '+a/b'], ['-t', 'a', '-t', 'b+']),
  ...each('sub', ['-T', 'a+'], ['-T', '#a'], ['-T', BAD], ['-U', 'a#'], ['-U', BAD]),
  // Names that are empty or too deep are for the older reference none at all, or everything.
  ...['', DEEP].flatMap((topic) => [
    ...otherwise('pub', NAMES_OF_TOPICS, withoutCode(invalid('pub', 'publish', topic)), ['-t', topic]),
    ...otherwise('sub', NAMES_OF_TOPICS, { stderr: invalid('sub', 'subscription', topic).stderr }, [
      '-t',
      topic,
    ]),
    ...otherwise('sub', NAMES_OF_TOPICS, { stderr: invalid('sub', 'filter', topic).stderr }, ['-T', topic]),
    ...otherwise('sub', NAMES_OF_TOPICS, { stderr: invalid('sub', 'unsubscribe', topic).stderr }, [
      '-U',
      topic,
    ]),
    ...otherwise('pub', NAMES_OF_TOPICS, withoutCode(invalid('pub', 'will', topic)), ['--will-topic', topic]),
  ]),
  ...each('pub', ['-t', LONG]),
  ...each('sub', ['-t', LONG]),
  ...otherwise('pub', NAMES_OF_TOPICS, withoutCode(invalid('pub', 'publish', '')), ['-L', 'mqtt://h/']),
  ...otherwise('sub', NAMES_OF_TOPICS, { stderr: invalid('sub', 'subscription', '').stderr }, [
    '-L',
    'mqtt://h/',
  ]),
  // -L and --proxy.
  ...each('pub', ['-L', 'http://h/t'], ['-L', 'h/t'], ['-L', ''], ['-L', 'mqtt://h']),
  ...each('pub', ['-L', 'mqtt://h/a+'], ['-L', 'mqtt://'], ['-L', 'mqtts://h']),
  ...each('sub', ['-L', 'http://h/t'], ['-L', 'mqtt://h'], ['-L', 'mqtt://h/a#']),
  ...each('pub', ['--proxy', 'http://h'], ['--proxy', 'socks5h://'], ['--proxy', 'socks5h://h:0']),
  ...each('pub', ['--proxy', 'socks5h://:p@h'], ['--proxy', 'socks5h://h:99999'], ['--proxy', 'socks5://h']),
  // -D.
  ...each(
    'pub',
    ['-D', 'connect'],
    ['-D', 'connect', 'user-property'],
    ['-D', 'connect', 'user-property', 'a'],
  ),
  ...each('pub', ['-D', 'nonsense', 'content-type', 'x'], ['-D', 'publish', 'nonsense', 'x']),
  ...each('pub', ['-D', 'publish', 'receive-maximum', '1'], ['-D', 'connect', 'content-type', 'x']),
  ...each('pub', ['-D', 'connack', 'receive-maximum', '1'], ['-D', 'auth', 'reason-string', 'x']),
  ...each('pub', ['-D', 'puback', 'reason-string', 'x']),
  ...otherwise(
    'pub',
    '2.1.2 (cli §7)',
    {
      stderr: `Error: user-property property not supported for suback in --property argument.\n\n${hint('pub')}`,
    },
    ['-D', 'suback', 'user-property', 'a', 'b'],
  ),
  ...each(
    'pub',
    ['-D', 'publish', 'message-expiry-interval', '-1'],
    ['-D', 'connect', 'receive-maximum', '65536'],
  ),
  ...each(
    'pub',
    ['-D', 'publish', 'payload-format-indicator', '256'],
    ['-D', 'publish', 'topic-alias', '65536'],
  ),
  ...each('pub', ['-D', 'publish', 'subscription-identifier', '1']),
  ...each(
    'pub',
    ['-D', 'publish', 'content-type', BAD],
    ['-D', 'publish', 'correlation-data', 'x'.repeat(65536)],
  ),
  ...each('sub', ['-D', 'subscribe', 'subscription-identifier', '268435456']),
  ...each('sub', ['-D', 'subscribe', 'content-type', 'x'], ['-D', 'unsubscribe', 'reason-string', 'x']),
  ...each('sub', ['-D', 'will', 'topic-alias', '1'], ['-D', 'disconnect', 'server-reference']),
  // What does not go together (cli §5).
  ...each('pub', ['-t', 'a', '-n', '--will-payload', 'x'], ['-t', 'a', '-n', '--will-retain']),
  ...each(
    'pub',
    ['-t', 'a', '-n', '--cert', 'x'],
    ['-t', 'a', '-n', '--key', 'x'],
    ['-t', 'a', '-n', '--keyform', 'pem'],
  ),
  ...each(
    'pub',
    ['-t', 'a', '-n', '--tls-engine-kpass-sha1', 'x'],
    ['-t', 'a', '-n', '--psk', '00', '--cafile', 'x'],
  ),
  ...each(
    'pub',
    ['-t', 'a', '-n', '--psk', '00'],
    ['-t', 'a', '-n', '-c'],
    ['-t', 'a', '-n', '-c', '-I', 'x'],
  ),
  ...each('pub', ['-t', 'a', '-n', '-V', '5', '-c'], ['-t', 'a', '-n', '-V', '5', '-x', '-1']),
  ...each('sub', [], ['-v'], ['-t', 'a', '-c'], ['-t', 'a', '-c', '-V', '5'], ['-t', 'a', '--will-retain']),
  ...each('sub', ['-t', 'a', '-R', '--retained-only'], ['-t', 'a', '--will-payload', 'x']),
  ...each('pub', ['-m', 'x'], ['-t', 'a'], [], ['-t', 'a', '-q', '1', '--quiet']),
  // The first error wins, also with --quiet.
  ...each(
    'pub',
    ['--quiet', '-q', '7'],
    ['-q', '7', '--help'],
    ['--nonsense', '-q', '7'],
    ['-q', '7', '-p', '-1'],
  ),
  // What cannot be used.
  ...each('pub', ['-t', 'a', '-n', '-i', ''], ['-t', 'a', '-n', '-u', BAD], ['-t', 'a', '-n', '-P', 'x']),
  ...each('pub', ['-t', 'a', '-n', '-i', '', '--quiet'], ['-t', 'a', '-n', '-u', BAD, '--quiet']),
  ...each('sub', ['-t', 'a', '-i', ''], ['-t', 'a', '-P', 'x'], ['-t', 'a', '-u', BAD]),
  ...each('pub', ['-t', 'a', '-f', '{dir}/missing'], ['-f', '{dir}/missing']),
  ...otherwise(
    'pub',
    '2.1.2 (cli §11.4)',
    {
      stderr:
        'Error: {dir} is not a file.Error: Unable to read file "{dir}": Is a directory.\nError loading input file "{dir}".\n',
    },
    ['-t', 'a', '-f', '{dir}'],
  ),
  ...each(
    'pub',
    ['-t', 'a', '-s'],
    ['-s'],
    ['-t', 'a', '-s', '--quiet'],
    ['-t', 'a', '-f', '{dir}/missing', '--quiet'],
  ),
  ...each(
    'pub',
    ['-t', 'a', '-n', '--cafile', '/nonexistent/ca'],
    ['-t', 'a', '-n', '--psk', 'xyz', '--psk-identity', 'i'],
  ),
  ...each('pub', ['--help'], ['--version'], ['-t', 'a', '--help', '-q', '9']),
  ...each('sub', ['--help'], ['--version']),
  // Nobody there.
  ...each('pub', ['-h', '127.0.0.1', '-p', '1', '-t', 'a', '-n'], ['-h', 'x.invalid', '-t', 'a', '-n']),
  ...each(
    'pub',
    ['-h', '127.0.0.1', '-p', '1', '-t', 'a', '-n', '--quiet'],
    ['-h', '127.0.0.1', '-p', '1', '-t', 'a', '-l'],
  ),
  ...each(
    'sub',
    ['-h', '127.0.0.1', '-p', '1', '-t', 'a'],
    ['-h', 'x.invalid', '-t', 'a'],
    ['-h', '127.0.0.1', '-p', '1', '-t', 'a', '--quiet'],
  ),
  ...each(
    'pub',
    ['-h', '127.0.0.1', '-p', '1', '-t', 'a', '-n', '-A', 'x.invalid'],
    ['--unix', '/nonexistent/s', '-t', 'a', '-n'],
  ),
  ...each(
    'pub',
    ['-h', '/nonexistent/s', '-p', '0', '-t', 'a', '-n'],
    ['--unix', '', '-t', 'a', '-n'],
    ['--unix', 'x'.repeat(108), '-t', 'a', '-n'],
  ),
];

const FILES: readonly (readonly [string, Tool, Args])[] = [
  ['-q 3\n', 'pub', []],
  ['-q\n', 'pub', []],
  ['-t a\n-m x\n', 'pub', ['-m', 'y']],
  ['-t a\n-q 7\n', 'pub', ['-t', 'b']],
  ['# comment\n\n-nonsense\n', 'pub', []],
  [' # indented\n', 'pub', []],
  ['-d foo\n', 'pub', []],
  ['-t\ta\n', 'pub', []],
  ['  -q 9\n', 'pub', []],
  ['-q 3\r\n', 'pub', []],
  ['-i a\n', 'pub', ['-I', 'b']],
  ['-t a', 'pub', ['-q', '3']],
  ['-q 4\n', 'sub', ['-t', 'a']],
  ['-t a/#/+b\n', 'sub', []],
  ['--retained-only\n', 'sub', ['-t', 'a', '-R']],
  ['-m\n', 'sub', []],
];

const BLANK: DifferentialCase = {
  tool: 'pub',
  args: [],
  files: { mosquitto_pub: '-q  \n' },
  env: { XDG_CONFIG_HOME: '{dir}' },
  differs: [
    '2.1.2 (cli §8.2)',
    { stdout: '', stderr: `Error: -q argument given but no QoS specified.\n\n${hint('pub')}` },
  ],
};

/** Options files (cli §8): the same text as a file of HOME and of XDG_CONFIG_HOME. */
export const OPTIONS_FILE_CASES: readonly DifferentialCase[] = [
  BLANK,
  ...FILES.map(([text, tool, args]) => ({
    tool,
    args,
    files: { [`mosquitto_${tool}`]: text },
    env: { XDG_CONFIG_HOME: '{dir}' },
  })),
  ...FILES.slice(0, 4).map(([text, tool, args]) => ({
    tool,
    args,
    // XDG_CONFIG_HOME is elsewhere: HOME is not looked at.
    files: { [`.config/mosquitto_${tool}`]: text },
  })),
];
