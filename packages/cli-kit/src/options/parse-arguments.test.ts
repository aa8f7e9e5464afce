import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../test/memory-io.js';
import { runCommandLine } from './command-line.js';
import { parseOptionsFile } from './options-file.js';
import { parseArguments } from './parse-arguments.js';
import { defaultSettings, type Settings, type Tool } from './settings.js';

function parsed(tool: Tool, ...args: (string | Uint8Array)[]): Settings {
  const settings = defaultSettings(tool);
  expect(parseArguments(bytes(args), settings)).toBeUndefined();
  return settings;
}

describe('parsing (cli §2)', () => {
  test('a value is the next argument, whatever it looks like', () => {
    expect(parsed('pub', '-t', '-q', '-m', '--help')).toMatchObject({
      topic: '-q',
      payloadSource: { from: 'argument', payload: Buffer.from('--help') },
    });
  });

  test('payloads and passwords are bytes', () => {
    const payload = Buffer.from([0xff, 0x0a, 0x80]);
    expect(parsed('pub', '-m', payload, '-P', payload)).toMatchObject({
      payloadSource: { from: 'argument', payload },
      password: payload,
    });
  });

  test('the last of several values wins, filters accumulate', () => {
    expect(parsed('pub', '-t', 'a', '-t', 'b', '-q', '1', '-q', '2')).toMatchObject({ topic: 'b', qos: 2 });
    const { filters } = parsed('sub', '-t', 'b', '-t', 'a', '-t', 'b');
    expect(filters.map((filter) => filter.wide.subscribe)).toEqual(['b', 'a', 'b']);
  });

  test('--name=value, empty too (P-5)', () => {
    expect(parsed('pub', '--topic=a=b', '--message=', '--port=0')).toMatchObject({
      topic: 'a=b',
      payloadSource: { from: 'argument', payload: Buffer.alloc(0) },
      port: 0,
    });
  });

  test('-V and -x count in their order (cli §3.2)', () => {
    expect(parsed('pub', '-V', '311', '-x', '10').protocolVersion).toBe(5);
    expect(parsed('pub', '-x', '10', '-V', '311').protocolVersion).toBe(4);
  });

  test.each([
    ['31', 3],
    ['mqttv31', 3],
    ['311', 4],
    ['mqttv311', 4],
    ['5', 5],
    ['mqttv5', 5],
  ])('-V %s', (value, version) => expect(parsed('sub', '-V', value).protocolVersion).toBe(version));

  test.each([
    ['0x10', 16],
    ['010', 8],
    ['0', 0],
    [' 7', 7],
    ['-1', 0xffffffff],
    ['4294967295', 0xffffffff],
    ['∞', 0xffffffff],
  ])('-x %j', (value, seconds) => expect(parsed('sub', '-x', value).sessionExpiry).toBe(seconds));

  test('a number of --repeat-delay is what C makes of it', () => {
    const delays = ['1.5', '.25', '2e1x', 'abc', ' 3'].map(
      (value) => parsed('pub', '--repeat-delay', value).repeatDelay,
    );
    expect(delays).toEqual([1.5, 0.25, 20, 0, 3]);
  });

  test('--local and -h: the later one counts', () => {
    expect(parsed('sub', '-h', 'x', '--local').local).toBe(true);
    expect(parsed('sub', '--local', '-h', 'x')).toMatchObject({ local: false, host: 'x' });
  });
});

describe('options files (cli §8.2)', () => {
  function fromFile(tool: Tool, content: string): Settings {
    const settings = defaultSettings(tool);
    expect(parseOptionsFile(Buffer.from(content), settings)).toBeUndefined();
    return settings;
  }

  test('one option a line, its value verbatim from behind the first space', () => {
    expect(fromFile('pub', '-t   x \n  -q 1\n\n# -h commented\n--message a b\r\n-r').topic).toBe('  x ');
    expect(fromFile('pub', '-t a\n  -q 1\n\n# -h commented\n--message a b\r\n-r')).toMatchObject({
      topic: 'a',
      qos: 1,
      host: 'localhost',
      payloadSource: { from: 'argument', payload: Buffer.from('a b') },
      retain: true,
    });
  });

  test('-o inside is ignored', () => {
    expect(fromFile('sub', '-o other\n-v')).toMatchObject({ verbose: true });
  });

  test.each([
    ['-d foo', "Error: Unknown option 'foo'."],
    [' # x', "Error: Unknown option '#'."],
    ['-q', 'Error: -q argument given but no QoS specified.'],
    ['-t  ', 'Error: -t argument given but no topic specified.'],
    ['-t\tx', "Error: Unknown option '-t\tx'."],
  ])('%j is an error', (content, error) => {
    expect(() => parseOptionsFile(Buffer.from(content), defaultSettings('sub'))).toThrow(error);
  });

  test('there is no limit on a line', () => {
    const text = 'x'.repeat(5000);
    expect(fromFile('pub', `-m ${text}`).payloadSource).toEqual({
      from: 'argument',
      payload: Buffer.from(text),
    });
  });
});

describe('which file, and what counts more (cli §8.1, §8.3)', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tsmqtt-options-'));
    await mkdir(join(folder, '.config'));
    await writeFile(join(folder, 'mosquitto_pub'), '-t xdg\n-u file');
    await writeFile(join(folder, '.config', 'mosquitto_pub'), '-t home\n');
    await writeFile(join(folder, 'named'), '-t named\n');
    await writeFile(join(folder, 'with-message'), '-m x\n');
    await writeFile(join(folder, 'version'), '-h x\n--version\n');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function run(args: string[], env: Record<string, string | undefined>) {
    const io = new MemoryIo({ programName: 'tsmqtt-pub' });
    Object.assign(io.env, env);
    let settings: Settings | undefined;
    const code = await runCommandLine('pub', bytes(args), io, async (read) => {
      settings = read;
      return 0;
    });
    return { code, settings, out: io.out.toString(), err: io.err };
  }

  test('XDG_CONFIG_HOME before HOME, without falling back', async () => {
    expect((await run([], { XDG_CONFIG_HOME: folder, HOME: folder })).settings?.topic).toBe('xdg');
    expect((await run([], { XDG_CONFIG_HOME: undefined, HOME: folder })).settings?.topic).toBe('home');
    expect((await run([], { XDG_CONFIG_HOME: '', HOME: folder })).settings?.topic).toBeUndefined();
  });

  test('-o alone, also where it cannot be read', async () => {
    const env = { XDG_CONFIG_HOME: folder };
    expect((await run(['-o', join(folder, 'named')], env)).settings?.topic).toBe('named');
    expect((await run(['-o', join(folder, 'missing')], env)).settings?.topic).toBeUndefined();
  });

  test('-o is found among values, too', async () => {
    const { settings } = await run(['-m', '-o', '-t', 'a'], { XDG_CONFIG_HOME: folder });
    expect(settings).toMatchObject({
      payloadSource: { payload: Buffer.from('-o') },
      topic: 'a',
      username: undefined,
    });
  });

  test('arguments override the file; a second payload is an error across both', async () => {
    const { settings } = await run(['-t', 'arg'], { XDG_CONFIG_HOME: folder });
    expect(settings).toMatchObject({ topic: 'arg', username: Buffer.from('file') });
    const conflict = await run(['-o', join(folder, 'with-message'), '-n'], {});
    expect(conflict.err).toContain('Only one type of message can be sent at once.');
  });

  test('--version inside a file takes effect, exit 0 (P-3)', async () => {
    expect(await run(['-o', join(folder, 'version'), '-z'], {})).toMatchObject({
      code: 0,
      out: 'tsmqtt-pub version 0.1.0 running on @tsmqtt/client 0.1.0.\n',
      err: '',
    });
  });

  test('credentials from the environment stand in for options that are not given (P-13)', async () => {
    const env = { TSMQTT_USERNAME: 'eva', TSMQTT_PASSWORD: 'secret' };
    expect((await run([], env)).settings).toMatchObject({
      username: Buffer.from('eva'),
      password: Buffer.from('secret'),
    });
    expect((await run(['-u', 'u', '-P', ''], env)).settings).toMatchObject({
      username: Buffer.from('u'),
      password: Buffer.alloc(0),
    });
    expect((await run(['--pw-file', 'x'], env)).settings?.password).toBeUndefined();
  });
});
