import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../test/memory-io.js';
import { endpointOf } from '../connection/endpoint.js';
import { runCommandLine } from './command-line.js';
import { parseArguments } from './parse-arguments.js';
import { defaultSettings, type Settings, type Tool } from './settings.js';
import { encryptionOf } from './tls-checks.js';

const HINT = "\nUse 'PROG --help' to see usage.\n";
const TOOLS: readonly Tool[] = ['pub', 'sub', 'rr'];

function parsed(...args: string[]): Settings {
  const settings = defaultSettings('pub');
  expect(parseArguments(bytes(args), settings)).toBeUndefined();
  return settings;
}

async function outcome(tool: Tool, args: readonly string[]) {
  const io = new MemoryIo();
  let ran = false;
  const code = await runCommandLine(tool, bytes(args), io, async () => {
    ran = true;
    return 0;
  });
  return { code, err: io.err, ran };
}

/** Nouns of cli §4 for the options that all three programs have. */
const NOUNS: readonly (readonly [option: string, error: string])[] = [
  ['-L', '-L argument given but no URL'],
  ['--url', '-L argument given but no URL'],
  ['--unix', '--unix argument given but no socket path'],
  ['--proxy', '--proxy argument given but no proxy url'],
  ['--ws-path', '--ws-path argument given but no path'],
  ['--ws-header', '--ws-header argument given but no header'],
  ['-D', '--property argument given but not enough arguments'],
  ['--property', '--property argument given but not enough arguments'],
  ['--cafile', '--cafile argument given but no file'],
  ['--capath', '--capath argument given but no directory'],
  ['--cert', '--cert argument given but no file'],
  ['--ciphers', '--ciphers argument given but no ciphers'],
  ['--key', '--key argument given but no file'],
  ['--keyform', '--keyform argument given but no keyform'],
  ['--psk', '--psk argument given but no key'],
  ['--psk-identity', '--psk-identity argument given but no identity'],
  ['--tls-alpn', '--tls-alpn argument given but no protocol'],
  ['--tls-engine', '--tls-engine argument given but no engine_id'],
  ['--tls-engine-kpass-sha1', '--tls-engine-kpass-sha1 argument given but no kpass sha1'],
  ['--tls-keylog', '--tls-keylog argument given but no file'],
  ['--tls-version', '--tls-version argument given but no version'],
];

describe.each(TOOLS)('a missing value, %s (cli §4)', (tool) => {
  test.each(NOUNS)('%s', async (option, error) => {
    expect(await outcome(tool, [option])).toEqual({
      code: 1,
      err: `Error: ${error} specified.\n\n${HINT}`,
      ran: false,
    });
  });
});

describe('--proxy (cli §4, §9.5)', () => {
  const PROBLEMS: readonly (readonly [url: string, error: string])[] = [
    ['http://h', 'Error: Unsupported proxy protocol: http://h\n'],
    ['SOCKS5H://h', 'Error: Unsupported proxy protocol: SOCKS5H://h\n'],
    ['socks5h://a:b:c@h', "Error: Username cannot contain ':'.\n"],
    ['socks5h://', 'Error: Invalid proxy.\n'],
    ['socks5h://h:0', 'Error: Invalid proxy port 0\n'],
    ['socks5h://[[::1]', 'Error: Duplicate IPv6 address.\n'],
    ['socks5h://u%20:p@h', ''],
  ];
  test.each(PROBLEMS)('%s', async (url, error) => {
    expect(await outcome('sub', ['--proxy', url])).toEqual({ code: 1, err: error + HINT, ran: false });
    // cli §2.4: the only errors of parsing that an earlier --quiet hides.
    expect((await outcome('sub', ['--quiet', '--proxy', url])).err).toBe(HINT);
    expect((await outcome('sub', ['--proxy', url, '--quiet'])).err).toBe(error + HINT);
  });

  test('is read by its parts', () => {
    expect(parsed('--proxy', 'socks5h://u%40v:p%3a@[::1]:1081').proxy).toEqual({
      host: '::1',
      port: 1081,
      username: 'u@v',
      password: 'p:',
    });
  });
});

describe('Unix sockets and WebSocket (cli §3.1, P-12)', () => {
  test('--unix is -h and -p 0; a later one of them overrides its half', () => {
    expect(endpointOf(parsed('--unix', '/x/y'))).toEqual({ host: '/x/y', port: 0 });
    expect(endpointOf(parsed('--unix', '/x/y', '-p', '1'))).toEqual({ host: '/x/y', port: 1 });
    expect(endpointOf(parsed('--unix', '/x/y', '-h', 'z'))).toEqual({ host: 'z', port: 0 });
  });

  test('headers accumulate', () => {
    const { webSocketHeaders } = parsed(
      '--ws-header',
      'A: b c',
      '--ws-header',
      'X-y:',
      '--ws-header',
      'A:d:e',
    );
    expect(webSocketHeaders).toEqual([
      ['A', 'b c'],
      ['X-y', ''],
      ['A', 'd:e'],
    ]);
  });

  test.each(['a', '', ': b', 'a b: c', 'a: b\r\nc: d'])('the header %j is none', async (header) => {
    expect((await outcome('pub', ['--ws-header', header])).err).toBe(
      `Error: Invalid header '${header}' for --ws-header, it must be 'Name: value'.\n\n${HINT}`,
    );
  });
});

describe('the port where none was given (cli §9.1)', () => {
  test.each([
    [[], 1883],
    [['--cafile', 'x'], 8883],
    [['--capath', 'x'], 8883],
    [['--psk', 'aa'], 8883],
    [['--cafile', 'x', '--no-tls'], 8883],
    [['--tls-use-os-certs'], 1883],
    [['--ws'], 1883],
    [['--cafile', 'x', '-p', '1'], 1],
  ])('%j', (args, port) => expect(endpointOf(parsed(...args)).port).toBe(port));
});

describe('TLS is used when (cli §9.3)', () => {
  test.each([
    [[], 'none'],
    [['--cafile', 'x'], 'certificates'],
    [['--capath', 'x'], 'certificates'],
    [['--psk', 'aa', '--psk-identity', 'i'], 'psk'],
    [['--psk', 'aa', '--tls-use-os-certs'], 'psk'],
    [['-p', '8883'], 'certificates'],
    [['-p', '8884'], 'none'],
    [['--tls-use-os-certs'], 'certificates'],
    [['--unix', '/x', '--cafile', 'x'], 'certificates'],
    [['--ws', '--cafile', 'x'], 'certificates'],
    [['-L', 'wss://h/t'], 'certificates'],
    [['-p', '8883', '--no-tls'], 'none'],
    [['--cafile', 'x', '--no-tls'], 'none'],
    [['-L', 'mqtts://h/t', '--no-tls'], 'none'],
    [['--no-tls', '--psk', 'aa'], 'none'],
  ] as const)('%j: %s', (args, encryption) => expect(encryptionOf(parsed(...args))).toBe(encryption));
});

describe('options that do not go together (cli §5, 3 to 7)', () => {
  const PAIR = 'Error: Both certfile and keyfile must be provided if one of them is set.\n';
  const KEYFORM = 'Error: If keyform is set, keyfile must be also specified.\n';
  const KPASS =
    'Error: when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.\n';
  const MODE = 'Error: Only one of --psk or --cafile/--capath may be used at once.\n';
  const WILL = 'Error: Will retain given, but no will topic given.\n';
  const ID = 'Error: You must provide a client id if you are using the -c option.\n';
  test.each([
    [['--cert', 'x'], PAIR],
    [['--key', 'x'], PAIR],
    [['--key', 'x', '--keyform', 'pem'], PAIR],
    [['--keyform', 'pem'], KEYFORM],
    [['--tls-engine-kpass-sha1', 'x'], KPASS],
    [['--tls-engine-kpass-sha1', 'x', '--tls-engine', 'e'], KPASS],
    [['--tls-engine-kpass-sha1', 'x', '--cert', 'c', '--key', 'k', '--keyform', 'engine'], KPASS],
    [['--psk', 'aa', '--cafile', 'x'], MODE],
    [['--psk', 'aa', '--capath', 'x'], MODE],
    [['--psk', 'aa'], 'Error: --psk-identity required if --psk used.\n'],
    // The order of the checks.
    [['--psk', 'aa', '--cafile', 'x', '--cert', 'x', '--keyform', 'y'], PAIR],
    [['--cert', 'x', '--will-retain'], WILL],
    [['--cert', 'x', '-c'], PAIR],
    [['--cafile', 'x', '-c'], ID],
  ])('%j', async (args, error) => {
    expect(await outcome('pub', args)).toEqual({ code: 1, err: error + HINT, ran: false });
  });
});

describe('never plain text by mistake (P-11)', () => {
  const PLAIN =
    'given, but the connection would not be encrypted; add --cafile, --capath, --tls-use-os-certs or --psk, or --no-tls.\n';
  const LOCAL = 'given, but --local connects in plain text; add --no-tls if that is meant.\n';
  test.each([
    [['--cert', 'c', '--key', 'k'], `Error: --cert ${PLAIN}`],
    [['--ciphers', 'x'], `Error: --ciphers ${PLAIN}`],
    [['--tls-version', 'tlsv1.2'], `Error: --tls-version ${PLAIN}`],
    [['--insecure'], `Error: --insecure ${PLAIN}`],
    [['--tls-alpn', 'mqtt'], `Error: --tls-alpn ${PLAIN}`],
    [['--tls-engine', 'x'], `Error: --tls-engine ${PLAIN}`],
    [['--psk-identity', 'x'], `Error: --psk-identity ${PLAIN}`],
    [['--unix', '/x', '--insecure'], `Error: --insecure ${PLAIN}`],
    [['-L', 'ws://h/t', '--insecure'], `Error: --insecure ${PLAIN}`],
    [['--local', '--cafile', 'x'], `Error: --cafile ${LOCAL}`],
    [['--local', '--tls-use-os-certs'], `Error: --tls-use-os-certs ${LOCAL}`],
    [
      ['--psk', 'aa', '--psk-identity', 'i', '--cert', 'c', '--key', 'k'],
      'Error: --cert given, but --psk connects without certificates.\n',
    ],
  ])('%j is refused', async (args, error) => {
    expect(await outcome('pub', args)).toEqual({ code: 1, err: error + HINT, ran: false });
    expect(await outcome('pub', [...args, '--no-tls'])).toEqual({ code: 0, err: '', ran: true });
  });

  test.each([
    [['--tls-keylog', 'x']],
    [['--cert', 'c', '--key', 'k', '-p', '8883']],
    [['--cert', 'c', '--key', 'k', '-L', 'mqtts://h/t']],
    [['--insecure', '-L', 'wss://h/t']],
    [['--cafile', 'x', '--psk-identity', 'i']],
  ])('%j is not', async (args) => {
    expect((await outcome('pub', args)).ran).toBe(true);
  });
});
