import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, type LogSettings, type LogType } from '../settings.js';
import { BrokerLog } from './broker-log.js';
import { silentLog } from './log.js';
import { ALL_LOG_TYPES, LOG_TYPES } from './log-type-table.js';

let folder: string;
let logs: BrokerLog[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsmqtt-log-'));
  logs = [];
});
afterEach(() => {
  for (const log of logs) log.close();
  rmSync(folder, { recursive: true });
});

function newLog(changed: Partial<LogSettings>, followSymlinks = false) {
  const written = { stdout: [] as string[], stderr: [] as string[] };
  const clock = { now: 1_700_000_000_999 };
  const pipes: {
    priority: string;
    text: string;
    ended: boolean;
    waiting: number;
    failed(reason: string): void;
  }[] = [];
  const outputs = {
    stdout: { write: (text: string) => written.stdout.push(text) },
    stderr: { write: (text: string) => written.stderr.push(text) },
    now: () => clock.now,
    followSymlinks,
    openSyslog: (priority: string, failed: (reason: string) => void) => {
      const pipe = { priority, text: '', ended: false, waiting: 0, failed };
      pipes.push(pipe);
      return Object.assign(pipe, {
        write(text: string) {
          pipe.text += text;
        },
        end() {
          pipe.ended = true;
        },
      });
    },
  };
  const log = new BrokerLog(outputs, { ...DEFAULT_SETTINGS.log, ...changed });
  logs.push(log);
  return { log, written, clock, pipes };
}

const METHODS: Readonly<
  Partial<Record<LogType, 'error' | 'warning' | 'notice' | 'info' | 'debug' | 'subscribe' | 'unsubscribe'>>
> = {
  error: 'error',
  warning: 'warning',
  notice: 'notice',
  information: 'info',
  debug: 'debug',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
};

describe('lines', () => {
  it('begin with the seconds since 1970', () => {
    const { log, written, clock } = newLog({});
    log.error('one');
    clock.now += 1;
    log.error('two');
    expect(written.stderr.join('')).toBe('1700000000: one\n1700000001: two\n');
  });

  it('or with a format, or with nothing', () => {
    const formatted = newLog({ timestampFormat: '%s!' });
    formatted.log.error('x');
    const bare = newLog({ timestamp: false, timestampFormat: '%s' });
    bare.log.error('x');
    expect([formatted.written.stderr, bare.written.stderr]).toEqual([['1700000000!: x\n'], ['x\n']]);
  });

  it('are cut to 1000 bytes, between characters', () => {
    const { log, written } = newLog({ timestamp: false });
    log.error('x'.repeat(1001));
    log.error(`x${'ö'.repeat(600)}`);
    log.error('y'.repeat(1000));
    expect(written.stderr).toEqual([
      `${'x'.repeat(1000)}\n`,
      `x${'ö'.repeat(499)}\n`,
      `${'y'.repeat(1000)}\n`,
    ]);
  });

  it('are one line each', () => {
    const { log, written } = newLog({ timestamp: false });
    log.error('a\r\nb\n');
    expect(written.stderr).toEqual(['a b \n']);
  });
});

describe('types', () => {
  it.each(ALL_LOG_TYPES.filter((type) => METHODS[type] !== undefined))('%s alone', (type) => {
    const { log, written } = newLog({ timestamp: false, types: [type] });
    for (const method of Object.values(METHODS)) log[method](method);
    log.flush();
    expect(written.stderr.join('')).toBe(`${METHODS[type]}\n`);
    expect(ALL_LOG_TYPES.filter((other) => log.enabled(other))).toEqual([type]);
  });

  it('none: nothing', () => {
    const { log, written } = newLog({ types: [] });
    log.error('x');
    log.close();
    expect(written.stderr).toEqual([]);
  });
});

describe('destinations', () => {
  it('get the lines of a turn in one write, errors at once', async () => {
    const { log, written } = newLog({ stdout: true, timestamp: false });
    log.info('a');
    log.notice('b');
    expect(written.stdout).toEqual([]);
    await Promise.resolve();
    expect([written.stdout, written.stderr]).toEqual([['a\nb\n'], ['a\nb\n']]);
    log.info('c');
    log.error('d');
    expect(written.stdout[1]).toBe('c\nd\n');
  });

  it('a long turn is written before it ends', () => {
    const { log, written } = newLog({ timestamp: false });
    for (let index = 0; index < 100; index++) log.info('x'.repeat(900));
    expect(written.stderr.length).toBeGreaterThan(0);
    log.close();
    expect(written.stderr.join('')).toHaveLength(100 * 901);
  });

  it('a file is appended to and only for its owner', () => {
    const file = join(folder, 'broker.log');
    const first = newLog({ file, stderr: false, timestamp: false });
    first.log.info('one');
    first.log.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = newLog({ file, stderr: false, timestamp: false });
    second.log.info('two');
    second.log.close();
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
    expect(second.written.stderr).toEqual([]);
  });

  it('a file is opened anew after its rotation', () => {
    const file = join(folder, 'broker.log');
    const { log } = newLog({ file, timestamp: false });
    log.info('one');
    log.flush();
    renameSync(file, `${file}.1`);
    log.info('two');
    log.reopen({ ...DEFAULT_SETTINGS.log, file, timestamp: false });
    log.info('three');
    log.close();
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('one\ntwo\n');
    expect(readFileSync(file, 'utf8')).toBe('three\n');
  });

  it('T-40: a file that cannot be opened leaves errors on stderr', () => {
    const file = join(folder, 'none', 'broker.log');
    const { log, written } = newLog({ file, stderr: false, timestamp: false });
    expect(written.stderr[0]).toMatch(`Error: Unable to open log file ${file} for writing.`);
    log.info('information');
    log.error('error');
    log.flush();
    expect(written.stderr.slice(1)).toEqual(['error\n']);
  });

  it('a symbolic link is only followed when that is allowed', () => {
    const target = join(folder, 'target.log');
    const file = join(folder, 'broker.log');
    writeFileSync(target, '');
    symlinkSync(target, file);
    const refused = newLog({ file, stderr: false });
    expect(refused.written.stderr[0]).toMatch('is a symbolic link');
    const allowed = newLog({ file, stderr: false, timestamp: false }, true);
    allowed.log.info('x');
    allowed.log.close();
    expect(readFileSync(target, 'utf8')).toBe('x\n');
  });
});

describe('log_dest syslog', () => {
  const settings = { syslog: true, stderr: false, types: ALL_LOG_TYPES };

  it('writes each type with its priority, without the time', () => {
    const { log, pipes } = newLog(settings);
    expect(pipes).toEqual([]);
    for (const method of Object.values(METHODS)) log[method](method);
    log.close();
    expect(pipes.map(({ priority, text, ended }) => [priority, text, ended])).toEqual([
      ['daemon.err', 'error\n', true],
      ['daemon.warning', 'warning\n', true],
      ['daemon.notice', 'notice\nsubscribe\nunsubscribe\n', true],
      ['daemon.info', 'info\n', true],
      ['daemon.debug', 'debug\n', true],
    ]);
  });

  it('with the facility of log_facility, beside other destinations; a reload goes over to another', () => {
    const { log, pipes, written } = newLog({ ...settings, syslogFacility: 3, stderr: true });
    log.warning('one');
    log.reopen({ ...DEFAULT_SETTINGS.log, syslog: true });
    log.warning('two');
    log.reopen(DEFAULT_SETTINGS.log);
    log.warning('three');
    expect(pipes.map(({ priority, text, ended }) => [priority, text, ended])).toEqual([
      ['local3.warning', 'one\n', true],
      ['daemon.warning', 'two\n', true],
    ]);
    expect(written.stderr.join('')).toBe('1700000000: one\n1700000000: two\n1700000000: three\n');
  });

  it('loses lines rather than keeping a megabyte of them, and says how many', () => {
    const { log, pipes } = newLog(settings);
    log.error('one');
    pipes[0]!.waiting = 1_048_570;
    log.error('12345');
    log.error('1234567');
    log.error('x');
    pipes[0]!.waiting = 0;
    log.error('two');
    expect(pipes[0]!.text).toBe('one\n12345\n1 log lines were lost: syslog is too slow.\nx\ntwo\n');
  });

  it('that fails is told of on stderr, where errors then go', () => {
    const { log, pipes, written } = newLog(settings);
    log.error('one');
    pipes[0]!.failed('gone');
    log.error('two');
    log.notice('three');
    log.flush();
    expect([pipes[0]!.text, pipes[0]!.ended, pipes.length]).toEqual(['one\n', true, 1]);
    expect(written.stderr.join('')).toBe(
      '1700000000: Error: Unable to write to syslog: gone.\n1700000000: two\n',
    );
  });
});

describe('log_dest topic', () => {
  it('publishes each type at its topic', () => {
    const { log } = newLog({ topic: true, stderr: false, types: ALL_LOG_TYPES });
    const published: string[] = [];
    log.publishTo((topic, payload) => published.push(`${topic} ${payload}`));
    for (const method of Object.values(METHODS)) log[method](method);
    expect(published).toEqual([
      '$SYS/broker/log/E error',
      '$SYS/broker/log/W warning',
      '$SYS/broker/log/N notice',
      '$SYS/broker/log/I info',
      '$SYS/broker/log/M/subscribe 1700000000: subscribe',
      '$SYS/broker/log/M/unsubscribe unsubscribe',
    ]);
    expect(LOG_TYPES.filter((row) => row.topic !== undefined)).toHaveLength(published.length);
  });

  it('never publishes what publishing itself logs', () => {
    const { log } = newLog({ topic: true, stderr: false });
    let count = 0;
    log.publishTo(() => {
      count++;
      log.error('again');
    });
    log.error('once');
    log.error('twice');
    expect(count).toBe(2);
  });
});

it('the silent log has every method and no type', () => {
  for (const method of Object.values(METHODS)) expect(silentLog[method]('x')).toBeUndefined();
  expect(ALL_LOG_TYPES.filter((type) => silentLog.enabled(type))).toEqual([]);
});
