// A line pipeline: `seq 1 N | pub -l -q Q -t t` through a broker into `sub -q Q -t t -C N`.
// Counted from the start of the publisher to the end of the subscriber, with the subscription in place before.
// The publisher's stdin stays open after the last line, because Mosquitto's loses lines at the end of its input.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inTurn, median, ratio, rounds, scale, table } from '../measure.mjs';
import { client, installed, startBroker } from '../peers.mjs';

/** How long a pipeline may take before its missing lines count as lost. */
const LIMIT_MS = 180_000;

/** Whose broker, and whose programs on both sides of it. */
const contenders = {
  tsmqtt: { broker: 'tsmqtt', toolkit: 'tsmqtt', label: 'tsmqtt' },
  mosquitto: { broker: 'mosquitto', toolkit: 'mosquitto', label: 'Mosquitto' },
  aedes: { broker: 'aedes', toolkit: 'tsmqtt', label: 'aedes with tsmqtt-pub, tsmqtt-sub' },
};

export async function lines({ qos, count }) {
  const total = Math.round(count * scale);
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-bench-lines-'));
  const input = path.join(folder, 'input');
  writeFileSync(input, Array.from({ length: total }, (_, index) => `${index + 1}\n`).join(''));
  try {
    const names = Object.keys(contenders).filter(installed);
    const lost = new Map();
    const samples = await inTurn(names, rounds(3), async (name) => {
      const { seconds, missing } = await pipeline({ ...contenders[name], qos, total, input, folder });
      if (missing > 0) lost.set(name, Math.max(missing, lost.get(name) ?? 0));
      return seconds;
    });
    const rows = names.map((name) => [
      contenders[name].label,
      median(samples.get(name)).toFixed(2),
      Math.round(total / median(samples.get(name))).toLocaleString('en'),
      name === 'tsmqtt' ? '' : ratio(samples, name, 'tsmqtt').toFixed(1),
      lost.has(name) ? `up to ${lost.get(name)}` : '0',
    ]);
    const title = `### ${total.toLocaleString('en')} lines, QoS ${qos}, ${rounds(3)} rounds`;
    return `${title}\n\n${table(['', 's', 'lines/s', 'time / tsmqtt', 'lost'], rows)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function pipeline({ broker: brokerName, toolkit, qos, total, input, folder }) {
  const broker = await startBroker(brokerName);
  const outputFile = path.join(folder, 'output');
  const output = openSync(outputFile, 'w');
  try {
    const [pub, ...pubArgs] = client(toolkit, 'pub');
    const [sub, ...subArgs] = client(toolkit, 'sub');
    spawnSync(pub, [...pubArgs, ...broker.at, '-t', 't', '-m', 'ready', '-r']);
    const args = [...subArgs, ...broker.at, '-t', 't', '-q', String(qos), '-C', String(total + 1)];
    const reader = spawn(sub, args, { stdio: ['ignore', output, 'inherit'] });
    const ended = new Promise((resolve) => reader.on('exit', resolve));
    while (statSync(outputFile).size === 0) await new Promise((resolve) => setTimeout(resolve, 10));

    const quote = (text) => `'${text}'`;
    const command = [pub, ...pubArgs, ...broker.at, '-t', 't', '-l', '-q', String(qos)].map(quote).join(' ');
    const started = process.hrtime.bigint();
    const feeder = spawn('sh', ['-c', `{ cat ${quote(input)}; exec sleep 600; } | ${command}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
    const timer = setTimeout(() => reader.kill('SIGKILL'), LIMIT_MS);
    await ended;
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    clearTimeout(timer);
    process.kill(-feeder.pid, 'SIGKILL');
    return { seconds, missing: missingLines(readFileSync(outputFile), readFileSync(input), total) };
  } finally {
    closeSync(output);
    await broker.stop();
  }
}

function missingLines(output, input, total) {
  const received = output.subarray('ready\n'.length);
  if (received.equals(input)) return 0;
  return total - new Set(received.toString().split('\n').slice(0, -1)).size;
}
