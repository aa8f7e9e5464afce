// A line pipeline: `lines | pub -l -q Q -t t` through a broker into `sub -q Q -t t -C N | wc`.
// Counted from the start of the publisher to the end of the subscriber, with the subscription in place before.
// The publisher's stdin stays open after the last line, because Mosquitto's loses lines at the end of its input.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inTurn, lasting, result } from '../measure.mjs';
import { client, installed, timeProgram, withBroker } from '../peers.mjs';

/** How long a counted run takes at scale 1: the start of the publisher and the warming up of V8 are in it. */
const SECONDS = 3;
/** How long a pipeline may take before its missing lines count as lost. */
const LIMIT_MS = 120_000;
/** The input is a file of so many bytes and lines, at least, as often as it takes: each time starts a `cat`. */
const BLOCK_BYTES = 1_000_000;
const BLOCK_LINES = 1000;

/** Whose broker, and whose programs on both sides of it. */
const contenders = {
  tsmqtt: { broker: 'tsmqtt', toolkit: 'tsmqtt', label: 'tsmqtt' },
  mosquitto: { broker: 'mosquitto', toolkit: 'mosquitto', label: 'Mosquitto' },
  aedes: { broker: 'aedes', toolkit: 'tsmqtt', label: 'aedes with tsmqtt-pub, tsmqtt-sub' },
  mqtt: { broker: 'tsmqtt', toolkit: 'mqtt', label: 'mqtt.js with tsmqtt-broker' },
};
const labels = Object.fromEntries(Object.entries(contenders).map(([name, { label }]) => [name, label]));

/** @param window Unacknowledged messages at a time, on both sides; default 20, Mosquitto's. */
export async function lines({ runs, scale }, { payload, qualities, window }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-bench-lines-'));
  const block = {
    file: path.join(folder, 'input'),
    lines: Math.max(BLOCK_LINES, Math.ceil(BLOCK_BYTES / (payload + 1))),
  };
  writeFileSync(block.file, numbered(block.lines, payload));
  const names = Object.keys(contenders).filter(
    (name) => installed(name) && (window === undefined || name !== 'mqtt'),
  );
  const rows = Object.fromEntries(names.map((name) => [name, labels[name]]));
  const results = [];
  try {
    for (const qos of qualities) {
      const lost = new Map();
      const run = lasting(SECONDS * scale, block.lines, async (name, count) => {
        const blocks = Math.ceil(count / block.lines);
        const taken = await pipeline({ ...contenders[name], qos, block, blocks, window });
        if (taken.missing > 0) lost.set(name, Math.max(taken.missing, lost.get(name) ?? 0));
        return { ...taken, rate: (blocks * block.lines) / taken.seconds };
      });
      results.push(
        result({
          title: `Lines of ${payload} bytes, QoS ${qos}, window ${window ?? 20}`,
          unit: 'lines a second',
          better: 'more',
          key: 'rate',
          rows,
          ...(await inTurn(names, { runs }, run)),
          notes: [...lost].map(([name, most]) => `${labels[name]} lost up to ${most} lines`),
        }),
      );
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines that can be told apart, all of the same length. */
function numbered(total, bytes) {
  const filler = 'x'.repeat(Math.max(0, bytes - 8));
  return Array.from({ length: total }, (_, index) => `${String(index).padStart(8, '0')}${filler}\n`).join('');
}

function pipeline({ broker: brokerName, toolkit, qos, block, blocks, window }) {
  const options = window === undefined ? [] : [`max_inflight_messages ${window}`];
  const total = blocks * block.lines;
  return withBroker(brokerName, options, async (broker) => {
    const pub = [...client(toolkit, 'pub'), ...broker.at, '-t', 't'];
    timeProgram([...pub, '-m', 'ready', '-r']);
    const [sub, ...subArgs] = client(toolkit, 'sub');
    const args = [...subArgs, ...broker.at, '-t', 't', '-q', String(qos), '-C', String(total + 1)];
    const counter = spawn('sh', ['-c', 'read -r first; echo "$first"; exec wc -l'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const output = reading(counter.stdout);
    const reader = spawn(sub, args, { stdio: ['ignore', counter.stdin, 'inherit'] });
    // Only the subscriber may keep the pipe open.
    counter.stdin.destroy();
    const ended = new Promise((resolve) => reader.on('exit', resolve));
    // A try that ends at once would be taken for a fast one, and made longer for ever.
    if ((await output.first) !== 'ready')
      throw new Error(`${sub} ended before it had printed the first message`);

    const more = window === undefined ? [] : ['-M', String(window)];
    const command = [...pub, '-l', '-q', String(qos), ...more].map(quote).join(' ');
    const started = process.hrtime.bigint();
    const feed = `i=0; while [ $i -lt ${blocks} ]; do cat ${quote(block.file)}; i=$((i + 1)); done; exec sleep 600`;
    const feeder = spawn('sh', ['-c', `{ ${feed}; } | ${command}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
    const timer = setTimeout(() => reader.kill('SIGKILL'), LIMIT_MS);
    const code = await ended;
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    clearTimeout(timer);
    process.kill(-feeder.pid, 'SIGKILL');
    // null: it was killed, because lines are missing.
    if (code !== null && code !== 0) throw new Error(`${sub} ended with ${code}`);
    return { seconds, missing: total - Number(await output.rest) };
  });
}

/** The first line of a stream, as soon as it is there, and what follows it, at the end. */
function reading(stream) {
  let text = '';
  const first = new Promise((resolve) => {
    stream.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
  });
  const rest = new Promise((resolve) => {
    stream.on('end', () => resolve(text.slice(text.indexOf('\n') + 1)));
  });
  return { first, rest };
}

const quote = (text) => `'${text}'`;
