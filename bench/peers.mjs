// What there is to compare with, and how each broker is started.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { programFile } from '../scripts/build.mjs';
import { root } from '../scripts/steps.mjs';

const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
const NOT_INSTALLED = 'not installed';

function find(name) {
  return folders
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Versions of everything that is measured beside tsmqtt. */
export function versions() {
  return {
    Mosquitto: mosquittoVersion(),
    aedes: packageVersion('aedes'),
    'mqtt.js': packageVersion('mqtt'),
    'mqtt-packet': packageVersion('mqtt-packet'),
  };
}

/** Whether a contender can take part: `tsmqtt`, `mosquitto`, or an npm package. */
export function installed(name) {
  if (name === 'tsmqtt') return true;
  return (name === 'mosquitto' ? mosquittoVersion() : packageVersion(name)) !== NOT_INSTALLED;
}

function packageVersion(name) {
  try {
    const manifest = path.join(root, 'node_modules', name, 'package.json');
    return JSON.parse(readFileSync(manifest, 'utf8')).version;
  } catch {
    return NOT_INSTALLED;
  }
}

function mosquittoVersion() {
  const file = find('mosquitto');
  if (!file || !find('mosquitto_pub') || !find('mosquitto_sub')) return NOT_INSTALLED;
  return /version (\S+)/.exec(spawnSync(file, ['-h']).stdout.toString())?.[1] ?? 'of unknown version';
}

/** Command and first arguments of a program of a toolkit; mqtt.js has pub and sub only, made here of its library. */
export function client(toolkit, tool) {
  if (toolkit === 'mosquitto') return [find(`mosquitto_${tool}`)];
  if (toolkit === 'mqtt') return [process.execPath, path.join(root, 'bench', 'peers', `mqttjs-${tool}.mjs`)];
  return [process.execPath, programFile(`tsmqtt-${tool}`)];
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts a broker without limits on its queues and waits until it says that it runs.
 *
 * @param options Lines of mosquitto.conf besides; aedes has no such thing and ignores them.
 */
export async function startBroker(name, options = []) {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-bench-'));
  const conf = path.join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_queued_messages 0',
    'log_type information',
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...options,
  ];
  writeFileSync(conf, `${lines.join('\n')}\n`);
  const command = {
    tsmqtt: [process.execPath, programFile('tsmqtt-broker'), '-c', conf],
    mosquitto: [find('mosquitto'), '-c', conf],
    aedes: [process.execPath, path.join(root, 'bench', 'peers', 'aedes-broker.mjs'), String(port)],
  }[name];
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((resolve, reject) => {
    let text = '';
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code}: ${text}`)));
    child.stderr.on('data', (chunk) => {
      text += chunk;
      if (/ running$/m.test(text)) resolve();
    });
  });
  child.removeAllListeners('exit');
  return {
    name,
    port,
    pid: child.pid,
    at: ['-h', '127.0.0.1', '-p', String(port)],
    async stop() {
      const over = new Promise((resolve) => child.on('exit', resolve));
      child.kill('SIGKILL');
      await over;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `use(broker)` with a broker of its own. */
export async function withBroker(name, options, use) {
  const broker = await startBroker(name, options);
  try {
    return await use(broker);
  } finally {
    await broker.stop();
  }
}

/** Resident memory of a process. */
export function residentMiB(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** Milliseconds from the start of a program to its end. @throws where it fails. */
export function timeProgram([command, ...args], input = '') {
  const started = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(command, args, { input, stdio: ['pipe', 'ignore', 'pipe'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return Number(process.hrtime.bigint() - started) / 1e6;
}
