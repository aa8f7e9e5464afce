import { describe, expect, it } from 'vitest';
import { BROKER_ARGUMENTS } from './argument-table.js';
import { ArgumentError, parseArguments } from './arguments.js';
import { helpText } from './help.js';

const parse = (...argv: string[]) => parseArguments(argv, () => {});

describe('arguments (contract broker §1.1)', () => {
  it('every name stands once in the table and in the help', () => {
    const names = BROKER_ARGUMENTS.flatMap((row) => row.names);
    expect(new Set(names).size).toBe(names.length);
    for (const { names, help } of BROKER_ARGUMENTS) {
      expect(helpText('x')).toContain(names.join(', '));
      expect(helpText('x')).toContain(help);
    }
  });

  it('long and short forms say the same', () => {
    const expected = {
      configFiles: ['a', 'b'],
      ports: [1, 65535],
      daemon: true,
      quiet: true,
      verbose: true,
      testConfig: true,
      tlsKeyLog: 'keys',
    };
    expect(
      parse(
        '-c',
        'a',
        '-c',
        'b',
        '-p',
        '1',
        '-p',
        '65535',
        '-d',
        '-q',
        '-v',
        '--test-config',
        '--tls-keylog',
        'keys',
      ),
    ).toEqual(expected);
    expect(
      parse(
        ...['--config-file', 'a', '--config-file', 'b', '--port', '1', '--port', '65535'],
        ...['--daemon', '--quiet', '--verbose', '--test-config', '--tls-keylog', 'keys'],
      ),
    ).toEqual(expected);
  });

  it('configuration files are read where they stand', () => {
    const read: string[] = [];
    expect(() => parseArguments(['-c', 'a', '-c', 'b', '-p', 'x'], (file) => read.push(file))).toThrow(
      ArgumentError,
    );
    expect(read).toEqual(['a', 'b']);
    expect(parseArguments(['-h', '-c', 'c', '--nonsense'], (file) => read.push(file))).toBe('help');
    expect(parseArguments(['--version', '-p'], (file) => read.push(file))).toBe('version');
    expect(read).toEqual(['a', 'b']);
  });

  // biome-ignore format: one row a line
  const errors: readonly (readonly [argv: readonly string[], error: string])[] = [
    [['-c'], 'Error: -c argument given, but no config file specified.'],
    [['--config-file'], 'Error: -c argument given, but no config file specified.'],
    [['-p'], 'Error: -p argument given, but no port specified.'],
    [['-p', '0'], 'Error: Invalid port specified (0).'],
    [['-p', '65536'], 'Error: Invalid port specified (65536).'],
    [['-p', '-1'], 'Error: Invalid port specified (-1).'],
    [['-p', '1x'], 'Error: Invalid port specified (1x).'],
    [['-p', ''], 'Error: Invalid port specified ().'],
    [Array.from({ length: 11 }, () => ['-p', '1883']).flat(), 'Error: Only 10 ports can be specified on the command line.'],
    [['--tls-keylog'], 'Error: --tls-keylog argument given, but no file specified.'],
    [['-p1883'], "Error: Unknown option '-p1883'."],
    [['--port=1883'], "Error: Unknown option '--port=1883'."],
    [['x'], "Error: Unknown option 'x'."],
  ];
  it.each(errors)('%j', (argv, error) => {
    expect(() => parse(...argv)).toThrow(new ArgumentError(error, error.includes('Unknown option')));
  });

  it('ten ports are fine', () => {
    expect(parse(...Array.from({ length: 10 }, () => ['-p', '1883']).flat())).toMatchObject({
      ports: Array.from({ length: 10 }, () => 1883),
    });
  });
});
