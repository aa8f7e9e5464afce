import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import { chmod, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { disconnectPacket, PINGREQ, subscribePacket } from '../../test/raw-client.js';
import { SocketClient } from '../../test/socket-client.js';
import { VERSION } from '../version.js';

let folder: string;
let program: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsmqtt-broker-bin-'));
  // The user that root gives way to writes here, too.
  await chmod(folder, 0o777);
  program = join(folder, 'tsmqtt-broker.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./tsmqtt-broker.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    conditions: ['@tsmqtt/source'],
    logOverride: { 'empty-import-meta': 'silent' },
  });
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(args: readonly string[], script = program, env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  children.add(child);
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
  });
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    written,
    exit,
    async running() {
      while (!written.stderr.includes(' running\n')) {
        const ended = await Promise.race([
          once(child.stderr, 'data').then(() => false),
          exit.then(() => true),
        ]);
        if (ended) expect.fail(`ended early: ${written.stderr}`);
      }
    },
  };
}

async function conf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('the process', () => {
  it('prints help and version', async () => {
    const help = start(['--help']);
    expect([await help.exit, help.written.stderr]).toEqual([0, '']);
    expect(help.written.stdout).toContain('Usage: tsmqtt-broker [-c config_file]');
    const link = join(folder, 'mosquitto');
    await symlink(program, link);
    const version = start(['--version'], link);
    expect([await version.exit, version.written.stdout]).toEqual([0, `mosquitto version ${VERSION}\n`]);
  });

  it('listens, refuses to share its port, writes its pid without a newline (broker T-50), and ends on SIGTERM', async () => {
    const port = await freePort();
    const pid = join(folder, 'pid');
    const path = await conf('a.conf', `user root\nlistener ${port} 127.0.0.1\npid_file ${pid}\n`);
    const first = start(['-c', path]);
    await first.running();
    expect(await readFile(pid, 'utf8')).toBe(String(first.child.pid));

    const second = start(['-c', await conf('b.conf', `user root\nlistener ${port} 127.0.0.1\n`)]);
    expect(await second.exit).toBe(1);
    expect(second.written.stderr).toMatch(
      new RegExp(`^\\d+: Error: Address already in use \\(127\\.0\\.0\\.1:${port}\\)$`, 'm'),
    );

    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    first.child.kill('SIGUSR1');
    first.child.kill('SIGTERM');
    client.resume();
    await once(client, 'close');
    expect(await first.exit).toBe(0);
    expect(first.written.stderr).toMatch(/ terminating\n$/);
    await expect(readFile(pid)).rejects.toThrow('ENOENT');
  });

  it('outlives readers of its log that go away', async () => {
    const port = await freePort();
    const path = await conf(
      'c.conf',
      `user root\nlistener ${port} 127.0.0.1\nlog_dest stdout\nlog_dest stderr\n`,
    );
    const broker = start(['-v', '-c', path]);
    await broker.running();
    broker.child.stdout.destroy();
    for (const round of [1, 2]) {
      broker.child.kill('SIGHUP');
      while (broker.written.stderr.split('Reloading config.').length <= round) {
        await once(broker.child.stderr, 'data');
      }
    }
    broker.child.kill('SIGINT');
    expect(await broker.exit).toBe(0);
  });

  it('log_dest syslog: gives its lines to logger', async () => {
    const port = await freePort();
    const bin = await mkdtemp(join(folder, 'bin-'));
    const logger = join(bin, 'logger');
    await writeFile(logger, `#!/bin/sh\n/bin/cat >> "${bin}/$2 $4"\n`);
    await chmod(logger, 0o755);
    await chmod(bin, 0o777);
    const path = await conf(
      'syslog.conf',
      `user root\nlistener ${port} 127.0.0.1\nlog_dest syslog\nlog_dest stderr\nlog_facility 2\n`,
    );
    const broker = start(['-c', path], program, { ...process.env, PATH: `${bin}:${process.env.PATH}` });
    await broker.running();
    broker.child.kill('SIGTERM');
    expect(await broker.exit).toBe(0);
    const lines = (await readFile(join(bin, 'local2.info tsmqtt-broker'), 'utf8')).split('\n');
    expect(lines[0]).toBe(`tsmqtt-broker version ${VERSION} starting`);
    expect(lines.slice(-2)).toEqual([`tsmqtt-broker version ${VERSION} terminating`, '']);
  });

  it('SIGUSR2 prints the subscriptions, SIGHUP opens the log anew, and -v stays in force', async () => {
    const port = await freePort();
    const log = join(folder, 'rotated.log');
    const text = `user root\nlistener ${port} 127.0.0.1\nallow_anonymous true\nlog_type error\nlog_dest file ${log}\n`;
    const path = await conf('signals.conf', `${text}log_dest stderr\n`);
    const broker = start(['-v', '-c', path]);
    await broker.running();
    const client = await SocketClient.connect(port, { clientId: 'client' });
    client.send(subscribePacket({ 'a/#': 1, '$share/g/a': 2 }));
    await client.ping();
    broker.child.kill('SIGUSR2');
    const tree = 'a (client, 2, $share/g)\n  # (client, 1)\n';
    while (broker.written.stdout.length < tree.length) await once(broker.child.stdout, 'data');
    expect(broker.written.stdout).toBe(tree);
    expect(await readFile(log, 'utf8')).toContain('Received SUBSCRIBE from client\n');

    await rename(log, `${log}.1`);
    await conf(
      'signals.conf',
      `${text}log_timestamp_format %Y-%m-%dT%H:%M:%S%z\nconnection_messages false\n`,
    );
    const watcher = watch(folder);
    const reopened = new Promise<void>((resolve) => {
      watcher.on('change', () => {
        if (existsSync(log) && readFileSync(log, 'utf8').includes('Received PINGREQ')) resolve();
      });
    });
    broker.child.kill('SIGHUP');
    // Its lines go to the old file until the new one is open.
    const pings = setInterval(() => client.send(PINGREQ), 5);
    await reopened;
    clearInterval(pings);
    watcher.close();
    client.send(disconnectPacket());
    await client.closed();
    broker.child.kill('SIGTERM');
    expect(await broker.exit).toBe(0);
    const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
    expect(lines).toContainEqual(expect.stringMatching(/: Received DISCONNECT from client$/));
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}: /);
    expect(lines.filter((line) => / disconnected/.test(line))).toEqual([]);
    expect((await stat(log)).mode & 0o777).toBe(0o600);
  });

  it('-d: goes into the background', async () => {
    const port = await freePort();
    const pidFile = join(folder, 'daemon.pid');
    const log = join(folder, 'daemon.log');
    const path = await conf(
      'd.conf',
      `user root\nlistener ${port} 127.0.0.1\npid_file ${pidFile}\nlog_dest file ${log}\n`,
    );
    const watcher = watch(folder);
    const running = new Promise<void>((resolve) => {
      watcher.on('change', () => {
        if (existsSync(log) && readFileSync(log, 'utf8').includes(' running\n')) resolve();
      });
    });
    const parent = start(['-d', '-c', path]);
    expect(await parent.exit).toBe(0);
    await running;
    watcher.close();
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(pid).not.toBe(parent.child.pid);
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.resume();
    process.kill(pid, 'SIGTERM');
    await once(client, 'close');
  });

  it.skipIf(process.geteuid?.() !== 0)('gives up root', async () => {
    const port = await freePort();
    const path = await conf('e.conf', `user nobody\nlistener ${port} 127.0.0.1\n`);
    const broker = start(['-c', path]);
    await broker.running();
    const status = await readFile(`/proc/${broker.child.pid}/status`, 'utf8');
    const ids = (name: string) =>
      new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/);
    expect(new Set(ids('Uid'))).toEqual(new Set(['65534']));
    expect(ids('Gid')).not.toContain('0');
    expect(ids('Groups')).not.toContain('0');
    broker.child.kill('SIGTERM');
    expect(await broker.exit).toBe(0);
  });
});
