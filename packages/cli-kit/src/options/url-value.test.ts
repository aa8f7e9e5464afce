import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../test/memory-io.js';
import { endpointOf } from '../connection/endpoint.js';
import { runCommandLine } from './command-line.js';
import { parseArguments } from './parse-arguments.js';
import { defaultSettings, type Settings, type Tool } from './settings.js';
import { encryptionOf } from './tls-checks.js';

const HINT = "\nUse 'PROG --help' to see usage.\n";

function parsed(tool: Tool, ...args: (string | Uint8Array)[]): Settings {
  const settings = defaultSettings(tool);
  expect(parseArguments(bytes(args), settings)).toBeUndefined();
  return settings;
}

/** What the rest of the program sees of it. */
function read(tool: Tool, ...args: (string | Uint8Array)[]) {
  const settings = parsed(tool, ...args);
  const { username, password, topic, url } = settings;
  const { host, port } = endpointOf(settings);
  return {
    at: [host, port],
    user: [username?.toString(), password?.toString()],
    topic,
    webSocket: url?.webSocket,
    tls: encryptionOf(settings),
  };
}

describe('the schemes (cli §6, P-12)', () => {
  test.each([
    ['mqtt', 1883, false, 'none'],
    ['MqTt', 1883, false, 'none'],
    ['mqtts', 8883, false, 'certificates'],
    ['ws', 80, true, 'none'],
    ['wss', 443, true, 'certificates'],
    ['WSS', 443, true, 'certificates'],
  ] as const)('%s', (scheme, port, webSocket, tls) => {
    expect(read('pub', '-L', `${scheme}://example.org/a/b`)).toEqual({
      at: ['example.org', port],
      user: [undefined, undefined],
      topic: 'a/b',
      webSocket,
      tls,
    });
  });

  test.each([
    ['mqtts://h/t', ['--no-tls'], 'none'],
    ['mqtts://h:1234/t', [], 'certificates'],
    ['mqtt://h:8883/t', [], 'certificates'],
    ['mqtt://h/t', ['--cafile', 'x'], 'certificates'],
  ] as const)('%s %j', (url, more, tls) => expect(read('pub', '-L', url, ...more).tls).toBe(tls));
});

describe('the parts (cli §6)', () => {
  test.each<readonly [authority: string, at: readonly [string, number], user: readonly unknown[]]>([
    ['h:1884', ['h', 1884], [undefined, undefined]],
    ['u@h', ['h', 1883], ['u', undefined]],
    ['u:@h', ['h', 1883], ['u', '']],
    [':p@h', ['h', 1883], ['', 'p']],
    ['u:p:q@h:1', ['h', 1], ['u', 'p:q']],
    // The first @ ends the credentials, as in the reference.
    ['u:p@q@h', ['q@h', 1883], ['u', 'p']],
    // P-12: percent-decoding in user and password only.
    ['a%40b%3A:c%2fd%25@h%41', ['h%41', 1883], ['a@b:', 'c/d%']],
    ['100%:5%zz%4@h', ['h', 1883], ['100%', '5%zz%4']],
    ['%E2%82%AC:x@h', ['h', 1883], ['€', 'x']],
    // D-13: addresses in brackets.
    ['[::1]', ['::1', 1883], [undefined, undefined]],
    ['u@[fe80::1%eth0]:1885', ['fe80::1%eth0', 1885], ['u', undefined]],
    ['', ['', 1883], [undefined, undefined]],
  ])('mqtt://%s/t', (authority, at, user) => {
    expect(read('pub', '-L', `mqtt://${authority}/t`)).toMatchObject({ at, user, topic: 't' });
  });

  test.each(['a/b?c', 'a//b', '/a', 'a%20b', 'ä://x'])('the topic %j is kept as it is', (topic) => {
    expect(read('pub', '-L', `mqtt://h/${topic}`).topic).toBe(topic);
  });

  test('what stands behind it overrides a part of it; what stood before it is overridden', () => {
    const url = ['-L', 'mqtt://u:p@h/t'];
    expect(read('pub', ...url, '-h', 'x', '-p', '7', '-u', 'v', '-P', 'w', '-t', 'y')).toMatchObject({
      at: ['x', 7],
      user: ['v', 'w'],
      topic: 'y',
    });
    expect(read('pub', '-h', 'x', '-p', '7', '-u', 'v', '-P', 'w', '-t', 'y', ...url)).toMatchObject({
      at: ['h', 1883],
      user: ['u', 'p'],
      topic: 't',
    });
    expect(read('pub', '-u', 'v', '-P', 'w', '-L', 'mqtt://h/t').user).toEqual(['v', 'w']);
    expect(parsed('pub', '--local', ...url).local).toBe(false);
  });

  test('sub subscribes to the topics of all of them, and to those of -t', () => {
    const args = ['-L', 'wss://a/x/#', '-t', 'y', '-L', 'mqtt://b:2/z'];
    const { filters, host, port, url } = parsed('sub', ...args);
    expect(filters.map(({ wide }) => wide.subscribe)).toEqual(['x/#', 'y', 'z']);
    expect([host, port, url]).toEqual(['b', 2, { webSocket: false, tls: false }]);
  });
});

describe('what is wrong (cli §4, §6, D-13)', () => {
  const TOPIC_MISSING = 'Error: Invalid URL for -L argument specified - topic missing.\n';
  test.each<readonly [tool: Tool, url: string | Uint8Array, error: string]>([
    ['pub', 'foo', 'Error: Unsupported URL scheme.\n\n'],
    ['pub', '', 'Error: Unsupported URL scheme.\n\n'],
    ['pub', 'mqtt', 'Error: Unsupported URL scheme.\n\n'],
    ['pub', 'mqtt:/h/t', 'Error: Unsupported URL scheme.\n\n'],
    ['pub', 'http://h/t', 'Error: Unsupported URL scheme.\n\n'],
    ['pub', 'toString://h/t', 'Error: Unsupported URL scheme.\n\n'],
    ['pub', 'mqtt://h', TOPIC_MISSING],
    ['sub', 'mqtt://h:1', TOPIC_MISSING],
    ['pub', 'mqtt://h/', "Error: Invalid publish topic '', does it contain '+' or '#'?\n"],
    ['pub', 'mqtt://h/a/#', "Error: Invalid publish topic 'a/#', does it contain '+' or '#'?\n"],
    ['rr', 'mqtt://h/+', "Error: Invalid publish topic '+', does it contain '+' or '#'?\n"],
    [
      'sub',
      'mqtt://h/a#',
      "Error: Invalid subscription topic 'a#', are all '+' and '#' wildcards correct?\n",
    ],
    ['sub', 'mqtt://h/', "Error: Invalid subscription topic '', are all '+' and '#' wildcards correct?\n"],
    ['pub', Buffer.from('mqtt://h/\xff', 'latin1'), 'Error: Malformed UTF-8 in -L topic argument.\n\n'],
    ['pub', 'mqtt://h:/t', 'Error: Invalid port given: \n'],
    ['pub', 'mqtt://h:x/t', 'Error: Invalid port given: x\n'],
    ['pub', 'mqtt://h:0/t', 'Error: Invalid port given: 0\n'],
    ['pub', 'mqtt://h:65536/t', 'Error: Invalid port given: 65536\n'],
    ['pub', 'mqtt://[::1]:x/t', 'Error: Invalid port given: x\n'],
    ['pub', 'mqtt://::1/t', 'Error: Invalid port given: :1\n'],
    ['pub', 'mqtt://[::1/t', 'Error: Invalid port given: :1\n'],
  ])('%s -L %s', async (tool, url, error) => {
    const io = new MemoryIo();
    const code = await runCommandLine(tool, bytes(['-L', url]), io, async () => expect.fail('must not run'));
    expect([code, io.err]).toEqual([1, error + HINT]);
  });
});
