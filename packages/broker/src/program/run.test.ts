import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { hashPassword } from '@tsmqtt/credentials';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerOptions, startBroker } from '../broker.js';
import type { BrokerSettings } from '../settings.js';
import { VERSION } from '../version.js';
import type { BrokerIo, BrokerSignal, SystemUser } from './io.js';
import { run } from './run.js';
import type { RunningBroker } from './running-broker.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsmqtt-broker-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a file of the test's folder and answers its path. */
function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** Collects what is written, without the seconds before log lines, and wakes who waits for a line. */
class Output extends Writable {
  text = '';
  private readonly waiting: (() => void)[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString().replace(/^1700000000: /gm, '');
    for (const wake of this.waiting.splice(0)) wake();
    done();
  }

  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

interface Scene {
  programName?: string;
  env?: Record<string, string>;
  userId?: number;
  users?: readonly SystemUser[];
  startBroker?: (options: BrokerOptions) => Promise<RunningBroker>;
}

/** The real broker, at a port that nobody else has. */
const onFreePort = (options: BrokerOptions) => startBroker({ ...options, port: 0 });

/** Starts the program around a broker that does nothing. */
function launch(argv: readonly string[], scene: Scene = {}) {
  const stdout = new Output();
  const stderr = new Output();
  const handlers = new Map<BrokerSignal, () => void>();
  const events: string[] = [];
  const started: BrokerOptions[] = [];
  const reloaded: BrokerSettings[] = [];
  let userId = scene.userId ?? 1000;
  const io: BrokerIo = {
    programName: scene.programName ?? 'tsmqtt-broker',
    stdout,
    stderr,
    env: scene.env ?? {},
    pid: 4711,
    now: () => 1_700_000_000_000,
    onSignal(signal, handler) {
      handlers.set(signal, handler);
      return () => handlers.delete(signal);
    },
    onExit: () => () => {},
    userId: () => userId,
    findUser: (wanted) => scene.users?.find(({ name, userId }) => wanted === name || wanted === userId),
    becomeUser(user) {
      events.push(`become ${user.name} ${user.userId}:${user.groupId}`);
      userId = user.userId ?? userId;
    },
    openSyslog: () => expect.fail('nobody writes to syslog'),
    setUmask: (mask) => events.push(`umask ${mask.toString(8)}`),
    detach: async (args) => void events.push(`detach ${args.join(' ')}`),
  };
  const idle: RunningBroker = {
    close: async () => void events.push('close'),
    reload: async (settings) => void reloaded.push(settings),
    subscriptionTree: () => 'a (id, 0)\n',
  };
  const startBroker = async (options: BrokerOptions) => {
    started.push(options);
    events.push('start');
    return scene.startBroker === undefined ? idle : scene.startBroker(options);
  };
  const exit = run(
    argv.map((argument) => Buffer.from(argument)),
    io,
    startBroker,
  );
  const signal = (name: BrokerSignal) => handlers.get(name)?.();
  return {
    stdout,
    stderr,
    events,
    started,
    reloaded,
    handlers,
    signal,
    exit,
    /** Ends the program as SIGTERM does, once it runs. */
    async stop(running: Output = stderr) {
      await running.until(' running\n');
      signal('SIGTERM');
      return exit;
    },
  };
}

describe('arguments', () => {
  it.each([['-h'], ['--help']])('%s', async (argument) => {
    const { exit, stdout, stderr } = launch([argument], { programName: 'x' });
    expect(await exit).toBe(0);
    expect(stdout.lines).toContain('Usage: x [-c config_file] [-d] [-h] [-p port] [-v]');
    expect(stderr.text).toBe('');
  });

  it('--version', async () => {
    const { exit, stdout } = launch(['--version']);
    expect(await exit).toBe(0);
    expect(stdout.text).toBe(`tsmqtt-broker version ${VERSION}\n`);
    const manifest = new URL('../../package.json', import.meta.url);
    expect(JSON.parse(readFileSync(manifest, 'utf8')).version).toBe(VERSION);
  });

  it('an unknown option: the error on stderr, the help on stdout', async () => {
    const { exit, stdout, stderr } = launch(['-x']);
    expect(await exit).toBe(3);
    expect(stderr.text).toBe("Error: Unknown option '-x'.\n");
    expect(stdout.text).toContain('Usage: ');
  });

  it('another wrong argument: no help', async () => {
    const { exit, stdout, stderr } = launch(['-p', '0']);
    expect([await exit, stdout.text, stderr.text]).toEqual([3, '', 'Error: Invalid port specified (0).\n']);
  });
});

describe('configuration errors', () => {
  it('name file and line, exit 3, even with -q (T-38)', async () => {
    const path = file('a.conf', 'port 1883\nfoo 1\n');
    const { exit, stderr } = launch(['-q', '-c', path]);
    expect(await exit).toBe(3);
    expect(stderr.lines.slice(1)).toEqual([
      "Error: Unknown configuration variable 'foo'.",
      `Error found at ${path}:2.`,
    ]);
  });

  it('a missing file, a folder', async () => {
    const missing = launch(['-c', join(folder, 'none')]);
    expect(await missing.exit).toBe(3);
    expect(missing.stderr.text).toBe(`Error: Unable to open config file '${join(folder, 'none')}'.\n`);
    const directory = launch(['-c', folder]);
    expect(await directory.exit).toBe(3);
    expect(directory.stderr.text).toBe(`Error: Config file '${folder}' is a directory.\n`);
  });

  it('a bind_address that does not resolve', async () => {
    const path = file('a.conf', 'port 1883\nbind_address host.invalid\n');
    const { exit, stderr } = launch(['-c', path]);
    expect(await exit).toBe(3);
    expect(stderr.text).toContain('Error: Error resolving bind_address');
    expect(stderr.lines.at(-1)).toBe(`Error found at ${path}:2.`);
  });

  it('a plugin is refused when the security files are read: exit 13', async () => {
    const path = file('a.conf', 'plugin /x.so\nplugin_opt_a b\n');
    const { exit, stderr, started } = launch(['-c', path]);
    expect(await exit).toBe(13);
    expect(stderr.lines.slice(-2)).toEqual([
      "Error: The 'plugin' option (/x.so) is not supported by tsmqtt-broker.",
      `Error found at ${path}:1.`,
    ]);
    expect(started).toEqual([]);
  });
});

describe('--test-config', () => {
  it('needs a configuration', async () => {
    const { exit, stderr } = launch(['--test-config']);
    expect([await exit, stderr.text]).toEqual([3, 'Please provide a configuration file to test.\n']);
  });

  it('reports a good one and starts nothing', async () => {
    const path = file(
      'a.conf',
      `listener 1883\npid_file ${join(folder, 'pid')}\nlog_dest file ${join(folder, 'log')}\n`,
    );
    const { exit, stderr, events } = launch(['--test-config', '-c', path]);
    expect([await exit, stderr.text]).toEqual([0, 'Configuration file is OK.\n']);
    expect(events).toEqual([]);
    expect([existsSync(join(folder, 'pid')), existsSync(join(folder, 'log'))]).toEqual([false, false]);
  });

  it('reports a plugin', async () => {
    const { exit } = launch(['--test-config', '-c', file('a.conf', 'plugin /x.so\n')]);
    expect(await exit).toBe(13);
  });
});

describe('start and end', () => {
  it('local only mode', async () => {
    const { stop, stderr, started, events } = launch(['-p', '1884']);
    expect(await stop()).toBe(0);
    expect(stderr.lines).toEqual([
      `tsmqtt-broker version ${VERSION} starting`,
      'Using default config.',
      'Starting in local only mode. Connections will only be possible from clients running on this machine.',
      'Create a configuration file which defines a listener to allow remote access.',
      `tsmqtt-broker version ${VERSION} running`,
      `tsmqtt-broker version ${VERSION} terminating`,
    ]);
    expect(started[0]).toMatchObject({ localOnly: true, listeners: [{ port: 1884, host: undefined }] });
    expect(events).toEqual(['umask 77', 'start', 'close']);
  });

  it('B-2: as `mosquitto` it speaks like the reference', async () => {
    const { stop, stderr, started } = launch([], { programName: 'mosquitto' });
    await stop();
    expect(stderr.lines[0]).toBe(`mosquitto version ${VERSION} starting`);
    expect(stderr.lines.at(-1)).toBe(`mosquitto version ${VERSION} terminating`);
    // For `$SYS/broker/version`.
    expect(started[0]?.name).toBe('mosquitto');
  });

  it('a configuration', async () => {
    const path = file('a.conf', 'listener 1884\nmax_keepalive 7\n');
    const { stop, stderr, started } = launch(['-c', path]);
    expect(await stop()).toBe(0);
    expect(stderr.lines).toEqual([
      `tsmqtt-broker version ${VERSION} starting`,
      `Config loaded from ${path}.`,
      `tsmqtt-broker version ${VERSION} running`,
      `tsmqtt-broker version ${VERSION} terminating`,
    ]);
    expect(started[0]).toMatchObject({ maxKeepAlive: 7, localOnly: false });
  });

  it('the pid file has no newline and goes at the end', async () => {
    const pid = join(folder, 'pid');
    const scene = launch(['-c', file('a.conf', `listener 1884\npid_file ${pid}\n`)]);
    await scene.stderr.until(' running\n');
    expect(readFileSync(pid, 'utf8')).toBe('4711');
    expect(await scene.stop()).toBe(0);
    expect(existsSync(pid)).toBe(false);
  });

  it('a pid file that cannot be written: exit 14', async () => {
    const path = file('a.conf', `listener 1884\npid_file ${join(folder, 'none', 'pid')}\n`);
    const { exit, stderr, started } = launch(['-c', path]);
    expect(await exit).toBe(14);
    expect(stderr.text).toMatch(/^Error: Unable to write pid file\./);
    expect(started).toEqual([]);
  });

  it('the pid file goes when the start fails, too', async () => {
    const pid = join(folder, 'pid');
    const path = file('a.conf', `listener 1884\npid_file ${pid}\npassword_file ${join(folder, 'none')}\n`);
    expect(await launch(['-c', path], { startBroker: onFreePort }).exit).toBe(13);
    expect(existsSync(pid)).toBe(false);
  });

  it('log_dest syslog needs the program logger', async () => {
    const path = file('a.conf', 'listener 1884\n\nlog_dest syslog\n');
    for (const args of [
      ['-c', path],
      ['-c', path, '--test-config'],
    ]) {
      const { exit, stderr } = launch(args, { env: { PATH: folder } });
      expect(await exit).toBe(3);
      expect(stderr.text).toBe(
        `Error: The 'log_dest syslog' option needs the program 'logger', which is in no folder of PATH.\nError found at ${path}:3.\n`,
      );
    }
  });

  it('log files, -q and -v', async () => {
    const log = join(folder, 'log');
    const path = file(
      'a.conf',
      `listener 1884\nlog_timestamp false\nlog_type error\nlog_dest file ${log}\nlog_dest stdout\n`,
    );
    const verbose = launch(['-v', '-c', path]);
    expect(await verbose.stop(verbose.stdout)).toBe(0);
    const lines = readFileSync(log, 'utf8').split('\n');
    expect(lines[0]).toBe(`tsmqtt-broker version ${VERSION} starting`);
    expect(verbose.stdout.text).toBe(lines.join('\n'));
    expect(verbose.stderr.text).toBe('');

    const quiet = launch(['-v', '-q'], {
      startBroker: async () => {
        queueMicrotask(() => quiet.signal('SIGTERM'));
        return { close: async () => {}, reload: async () => {}, subscriptionTree: () => '' };
      },
    });
    expect([await quiet.exit, quiet.stderr.text]).toEqual([0, '']);
  });

  it('UMASK_SET keeps the umask', async () => {
    const { stop, events } = launch([], { env: { UMASK_SET: '1' } });
    await stop();
    expect(events).toEqual(['start', 'close']);
  });

  it('-d starts again without it, detached, when the configuration is right', async () => {
    const path = file('a.conf', 'listener 1884\n');
    const daemon = launch(['-v', '-d', '-c', path, '--daemon']);
    expect([await daemon.exit, daemon.events]).toEqual([0, [`detach -v -c ${path}`]]);
    const odd = launch(['-c', '-d', '-d']);
    expect([await odd.exit, odd.stderr.text]).toEqual([3, "Error: Unable to open config file '-d'.\n"]);
    const wrong = launch(['-d', '-c', file('b.conf', 'foo\n')]);
    expect([await wrong.exit, wrong.events]).toEqual([3, []]);
  });
});

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends, and every handler goes', async (name) => {
    const { stderr, signal, exit, handlers } = launch([]);
    await stderr.until(' running\n');
    expect([...handlers.keys()].sort()).toEqual(['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']);
    signal(name);
    expect(await exit).toBe(0);
    expect(handlers.size).toBe(0);
  });

  it('during the start ends after it', async () => {
    const scene: ReturnType<typeof launch> = launch([], {
      startBroker: async () => {
        scene.signal('SIGTERM');
        await delay(0);
        return { close: async () => {}, reload: async () => {}, subscriptionTree: () => '' };
      },
    });
    expect(await scene.exit).toBe(0);
    expect(scene.stderr.lines.slice(-2)).toEqual([
      `tsmqtt-broker version ${VERSION} running`,
      `tsmqtt-broker version ${VERSION} terminating`,
    ]);
  });

  it('twice does not wait for clients', async () => {
    const scene: ReturnType<typeof launch> = launch([], {
      startBroker: async () => ({
        close: () => {
          scene.signal('SIGTERM');
          return new Promise(() => {});
        },
        reload: async () => {},
        subscriptionTree: () => '',
      }),
    });
    expect(await scene.stop()).toBe(0);
  });

  it('SIGUSR1 only says something', async () => {
    const { stderr, signal, stop, events } = launch([]);
    await stderr.until(' running\n');
    const before = stderr.lines.length;
    signal('SIGUSR1');
    await stop();
    expect(stderr.lines).toHaveLength(before + 2);
    expect(events).toEqual(['umask 77', 'start', 'close']);
  });

  it('SIGUSR2 prints the subscription tree on stdout', async () => {
    const { stdout, stderr, signal, stop } = launch([]);
    await stderr.until(' running\n');
    signal('SIGUSR2');
    await stop();
    expect(stdout.text).toBe('a (id, 0)\n');
  });

  it('SIGUSR2 before there are subscriptions prints nothing', async () => {
    const scene = launch([], {
      startBroker: async () => {
        scene.signal('SIGUSR2');
        return { close: async () => {}, reload: async () => {}, subscriptionTree: () => 'a (id, 0)\n' };
      },
    });
    await scene.stop();
    expect(scene.stdout.text).toBe('');
  });
});

describe('privileges', () => {
  const mosquitto: SystemUser = { name: 'mosquitto', userId: 102, groupId: 105 };
  const nobody: SystemUser = { name: 'nobody', userId: 65534, groupId: 65534 };
  const alice: SystemUser = { name: 'alice', userId: 1, groupId: 2 };
  const users = [mosquitto, nobody, alice];

  // biome-ignore format: one row a line
  const cases: readonly (readonly [what: string, conf: string, scene: Scene, become: string[]])[] = [
    ['not root', 'user nosuch\n', { userId: 1000, users }, []],
    ['the default', '', { userId: 0, users }, ['become mosquitto 102:105']],
    ['the other default', '', { userId: 0, users: [nobody] }, ['become nobody 65534:65534']],
    ['a named user', 'user alice\n', { userId: 0, users }, ['become alice 1:2']],
    ['root stays', 'user root\n', { userId: 0, users }, []],
    ['ids of the environment', 'user alice\n', { userId: 0, users, env: { PUID: '5', PGID: '6' } }, ['become undefined 5:6']],
    ['PUID of a user that there is: its group', 'user alice\n', { userId: 0, users, env: { PUID: '102' } }, ['become undefined 102:105']],
    ['PUID of nobody known: the group of that number', '', { userId: 0, users, env: { PUID: '5' } }, ['become undefined 5:5']],
    ['PGID alone: the user in that group', 'user alice\n', { userId: 0, users, env: { PGID: '6' } }, ['become alice 1:6']],
    ['PGID and root', 'user root\n', { userId: 0, users, env: { PGID: '6' } }, ['become undefined undefined:6']],
  ];
  it.each(cases)('%s', async (_what, conf, scene, become) => {
    const { stop, events } = launch(['-c', file('a.conf', `listener 1884\n${conf}`)], scene);
    expect(await stop()).toBe(0);
    expect(events).toEqual([...become, 'umask 77', 'start', 'close']);
  });

  it('root is warned about', async () => {
    const { stop, stderr } = launch(['-c', file('a.conf', 'user root\n')], { userId: 0, users });
    await stop();
    expect(stderr.lines[0]).toBe('Warning: tsmqtt-broker should not be run as root/administrator.');
  });

  it.each([
    ['user nosuch\n', {}, "Error: Unable to drop privileges to 'nosuch' because this user does not exist."],
    ['', {}, "Error: Unable to drop privileges to 'mosquitto' because this user does not exist."],
    ['', { PUID: 'x' }, 'Error: Invalid PUID value (x).'],
  ])('%j %j: exit 3', async (conf, env, error) => {
    const { exit, stderr, events } = launch(['-c', file('a.conf', conf)], { userId: 0, users: [], env });
    expect([await exit, stderr.text, events]).toEqual([3, `${error}\n`, []]);
  });
});

describe('the password file', () => {
  async function userLine(name: string): Promise<string> {
    return `${name}:${await hashPassword(Buffer.from('x'), { kind: 'sha512' })}\n`;
  }

  it('that cannot be opened: exit 13', async () => {
    const path = join(folder, 'none');
    const conf = file('a.conf', `listener 1884\npassword_file ${path}\n`);
    const { exit, stderr } = launch(['-c', conf], { startBroker: onFreePort });
    expect(await exit).toBe(13);
    expect(stderr.lines.at(-1)).toMatch(`Error: Unable to open pwfile "${path}".`);
  });

  it('that is a symbolic link: exit 13, unless allowed', async () => {
    const path = join(folder, 'link');
    symlinkSync(file('passwd', await userLine('ann')), path);
    const conf = file('a.conf', `listener 1884\npassword_file ${path}\n`);
    const refused = launch(['-c', conf], { startBroker: onFreePort });
    expect(await refused.exit).toBe(13);
    expect(refused.stderr.text).toContain('symbolic link');
    const allowed = launch(['-c', conf], {
      env: { MOSQUITTO_UNSAFE_ALLOW_SYMLINKS: '1' },
      startBroker: onFreePort,
    });
    expect(await allowed.stop()).toBe(0);
    expect(allowed.stderr.text).toContain('MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set');
  });

  it('with a bad line: exit 3', async () => {
    const path = file('passwd', 'ann:secret\n');
    const conf = file('a.conf', `listener 1884\npassword_file ${path}\n`);
    const { exit, stderr } = launch(['-c', conf], { startBroker: onFreePort });
    expect(await exit).toBe(3);
    expect(stderr.lines.at(-1)).toMatch(
      `password-file: Error: Unable to decode line in password file '${path}'.`,
    );
  });

  it('that others can read, or own, is warned about', async () => {
    const path = file('passwd', '');
    chmodSync(path, 0o644);
    const { stop, stderr } = launch(['-c', file('a.conf', `listener 1884\npassword_file ${path}\n`)], {
      userId: 54321,
      startBroker: onFreePort,
    });
    expect(await stop()).toBe(0);
    expect(stderr.lines).toContain(`Warning: File ${path} has world readable permissions.`);
    expect(stderr.lines).toContain(`Warning: File ${path} is not owned by the user the broker runs as.`);
  });
});

describe('listeners that cannot be opened: exit 1', () => {
  it('a port in use is named', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const other = createServer();
    const { exit, stderr } = launch(['-c', file('a.conf', `listener ${port} 127.0.0.1\n`)], {
      startBroker: () =>
        new Promise((_resolve, reject) => {
          other.once('error', reject);
          other.listen(port, '127.0.0.1');
        }),
    });
    expect(await exit).toBe(1);
    expect(stderr.lines.at(-1)).toBe(`Error: Address already in use (127.0.0.1:${port})`);
    server.close();
  });

  // biome-ignore format: one row a line
  const cases: readonly (readonly [error: object, text: string])[] = [
    [{ code: 'EADDRINUSE', syscall: 'listen', address: '::', port: 1883 }, 'Error: Address already in use ([::]:1883)'],
    [{ code: 'EACCES', syscall: 'listen', address: '/run/a.sock', port: -1 }, 'Error: Permission denied (/run/a.sock)'],
    [{ code: 'ENOENT', syscall: 'stat', path: '/run/none' }, 'Error: No such file or directory (/run/none)'],
    [{ code: 'EACCES', syscall: 'listen', address: '0.0.0.0', port: 80 }, 'Error: Permission denied (0.0.0.0:80)'],
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nosuch' }, 'Error: Name or service not known (nosuch)'],
    [{ code: 'EFOO', syscall: 'listen', message: 'listen EFOO' }, 'Error: listen EFOO'],
  ];
  it.each(cases)('%j', async (error, text) => {
    const { exit, stderr } = launch([], {
      startBroker: () => Promise.reject(Object.assign(new Error(), error)),
    });
    expect([await exit, stderr.lines.at(-1)]).toEqual([1, text]);
  });

  it("an error that is not the system's is not swallowed", async () => {
    const { exit } = launch([], { startBroker: () => Promise.reject(new TypeError('bug')) });
    await expect(exit).rejects.toThrow('bug');
  });
});

describe('SIGHUP', () => {
  /** Runs with a configuration and waits for the end of each reload. */
  async function running(conf: string, argv: readonly string[] = []) {
    const path = file('a.conf', conf);
    const reloads: (() => void)[] = [];
    const reloaded: BrokerSettings[] = [];
    const scene = launch(['-c', path, ...argv], {
      startBroker: async () => ({
        close: async () => {},
        subscriptionTree: () => '',
        reload: async (settings) => {
          reloaded.push(settings);
          for (const done of reloads.splice(0)) done();
        },
      }),
    });
    await scene.stderr.until(' running\n');
    return {
      ...scene,
      reloaded,
      async reload(changed: string) {
        writeFileSync(path, changed);
        const done = new Promise<void>((resolve) => reloads.push(resolve));
        scene.signal('SIGHUP');
        await done;
      },
    };
  }

  it('reads the configuration again', async () => {
    const { reload, reloaded, stop, stderr } = await running('listener 1884\nmax_keepalive 1\nuser a\n');
    await reload('listener 1884\nmax_keepalive 2\nmax_connections 3\nuser b\n');
    expect(reloaded[0]).toMatchObject({
      maxKeepAlive: 2,
      user: 'a',
      listeners: [{ maxConnections: 3 }],
    });
    expect(stderr.lines).toContain('Reloading config.');
    expect(await stop()).toBe(0);
  });

  it('B-1: a bad configuration is logged and ignored', async () => {
    const { reload, reloaded, stop, stderr } = await running('listener 1884\nmax_keepalive 1\n');
    await reload('listener 1884\nmax_keepalive 2\nfoo\n');
    expect(reloaded[0]?.maxKeepAlive).toBe(1);
    expect(stderr.text).toContain("Error: Unknown configuration variable 'foo'.\nError found at ");
    await reload('listener 1884\nmax_keepalive 3\n');
    expect(reloaded[1]?.maxKeepAlive).toBe(3);
    expect(await stop()).toBe(0);
  });

  it('listeners in another order keep their places', async () => {
    const { reload, reloaded, stop } = await running('listener 1884\nlistener 1885\n');
    await reload('listener 1885\nmax_connections 5\nlistener 1884\nmax_connections 4\n');
    expect(reloaded[0]?.listeners).toMatchObject([
      { port: 1884, maxConnections: 4 },
      { port: 1885, maxConnections: 5 },
    ]);
    await stop();
  });

  it('T-8: listeners stay as they were', async () => {
    const { reload, reloaded, stop, stderr } = await running('listener 1884\n');
    await reload('listener 1885\nmax_keepalive 2\n');
    expect(reloaded[0]).toMatchObject({ maxKeepAlive: 2, listeners: [{ port: 1884 }] });
    expect(stderr.lines).toContain(
      'Error: It is not currently possible to add/remove listeners when reloading the config file.',
    );
    await stop();
  });

  it('opens the log anew, and -v stays in force', async () => {
    const log = join(folder, 'log');
    const conf = `listener 1884\nlog_dest stderr\nlog_dest file ${log}\n`;
    const { reload, stop } = await running(conf, ['-v']);
    renameSync(log, `${log}.1`);
    await reload(`${conf}log_type none\n`);
    await stop();
    expect(readFileSync(log, 'utf8')).toContain('terminating');
    expect(readFileSync(`${log}.1`, 'utf8')).toContain('Reloading config.');
  });
});

it('SIGHUP without a configuration keeps the settings', async () => {
  const { stop, signal, stderr, reloaded } = launch([]);
  await stderr.until(' running\n');
  signal('SIGHUP');
  expect(await stop()).toBe(0);
  expect(stderr.text).toContain('Reloading config.');
  expect(reloaded).toMatchObject([{ localOnly: true }]);
});
