// What is there to compare with, and how each broker is started.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { programFile } from '../scripts/build.mjs';
import { root } from '../scripts/steps.mjs';

const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];

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

/** Whether a contender can take part. */
export function installed(name) {
  if (name === 'tsmqtt') return true;
  return versionOf(name) !== 'not installed';
}

export function versionOf(name) {
  if (name === 'aedes') {
    try {
      const manifest = path.join(root, 'node_modules', 'aedes', 'package.json');
      return JSON.parse(readFileSync(manifest, 'utf8')).version;
    } catch {
      return 'not installed';
    }
  }
  const file = find('mosquitto');
  if (!file || !find('mosquitto_pub') || !find('mosquitto_sub')) return 'not installed';
  return /version (\S+)/.exec(spawnSync(file, ['-h']).stdout.toString())?.[1] ?? 'of unknown version';
}

/** Command and first arguments of a client program of one of the two toolkits. */
export function client(toolkit, tool) {
  if (toolkit === 'mosquitto') return [find(`mosquitto_${tool}`)];
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

/** Starts a broker without limits on its queues and waits until it says that it runs. */
export async function startBroker(name) {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-bench-'));
  const conf = path.join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_queued_messages 0',
    'log_type information',
    'user root',
  ];
  if (process.getuid?.() !== 0) lines.pop();
  writeFileSync(conf, `${lines.join('\n')}\n`);
  const command = {
    tsmqtt: [process.execPath, programFile('tsmqtt-broker'), '-c', conf],
    mosquitto: [find('mosquitto'), '-c', conf],
    aedes: [process.execPath, path.join(root, 'bench', 'aedes-broker.mjs'), String(port)],
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
