// A line pipeline: `lines | pub -l -q Q -t t` through a broker into `sub -q Q -t t -C N`.
// Counted from the start of the publisher to the end of the subscriber, with the subscription in place before.
// The publisher's stdin stays open after the last line, because Mosquitto's loses lines at the end of its input.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inTurn, result } from '../measure.mjs';
import { client, installed, timeProgram, withBroker } from '../peers.mjs';

/** How long a pipeline may take before its missing lines count as lost. */
const LIMIT_MS = 180_000;

/** Whose broker, and whose programs on both sides of it. */
const contenders = {
  tsmqtt: { broker: 'tsmqtt', toolkit: 'tsmqtt', label: 'tsmqtt' },
  mosquitto: { broker: 'mosquitto', toolkit: 'mosquitto', label: 'Mosquitto' },
  aedes: { broker: 'aedes', toolkit: 'tsmqtt', label: 'aedes with tsmqtt-pub, tsmqtt-sub' },
  mqtt: { broker: 'tsmqtt', toolkit: 'mqtt', label: 'mqtt.js with tsmqtt-broker' },
};

/**
 * @param counts Lines at QoS 0, 1 and 2; 0 leaves it out.
 * @param window Unacknowledged messages at a time, on both sides; default 20, Mosquitto's.
 */
export async function lines({ runs, scale }, { payload, counts, window }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-bench-lines-'));
  const results = [];
  try {
    for (const [qos, count] of counts.entries()) {
      const total = Math.round(count * scale);
      if (total === 0) continue;
      const input = path.join(folder, 'input');
      writeFileSync(input, numbered(total, payload));
      const lost = new Map();
      // mqtt.js's pub has no window of its own.
      const names = Object.keys(contenders).filter((name) => window === undefined || name !== 'mqtt');
      const taken = await inTurn(names.filter(installed), { runs }, async (name) => {
        const { seconds, missing } = await pipeline({
          ...contenders[name],
          qos,
          total,
          input,
          folder,
          window,
        });
        if (missing > 0) lost.set(name, Math.max(missing, lost.get(name) ?? 0));
        return total / seconds;
      });
      results.push(
        result({
          title: `${total.toLocaleString('en')} lines of ${payload} bytes, QoS ${qos}, window ${window ?? 20}`,
          unit: 'lines a second',
          better: 'more',
          rows: labels(names),
          ...taken,
          notes: [...lost].map(([name, most]) => `${contenders[name].label} lost up to ${most} lines`),
        }),
      );
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function labels(names) {
  return Object.fromEntries(names.map((name) => [name, contenders[name].label]));
}

/** Lines that can be told apart, all of the same length. */
function numbered(total, bytes) {
  const filler = 'x'.repeat(Math.max(0, bytes - 8));
  return Array.from({ length: total }, (_, index) => `${String(index).padStart(8, '0')}${filler}\n`).join('');
}

function pipeline({ broker: brokerName, toolkit, qos, total, input, folder, window }) {
  const options = window === undefined ? [] : [`max_inflight_messages ${window}`];
  return withBroker(brokerName, options, async (broker) => {
    const outputFile = path.join(folder, 'output');
    const output = openSync(outputFile, 'w');
    try {
      const pub = [...client(toolkit, 'pub'), ...broker.at, '-t', 't'];
      timeProgram([...pub, '-m', 'ready', '-r']);
      const [sub, ...subArgs] = client(toolkit, 'sub');
      const args = [...subArgs, ...broker.at, '-t', 't', '-q', String(qos), '-C', String(total + 1)];
      const reader = spawn(sub, args, { stdio: ['ignore', output, 'inherit'] });
      const ended = new Promise((resolve) => reader.on('exit', resolve));
      while (statSync(outputFile).size === 0) {
        if (reader.exitCode !== null)
          throw new Error(`sub ended with ${reader.exitCode} before the first line`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }

      const more = window === undefined ? [] : ['-M', String(window)];
      const command = [...pub, '-l', '-q', String(qos), ...more].map(quote).join(' ');
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
    }
  });
}

const quote = (text) => `'${text}'`;

function missingLines(output, input, total) {
  const received = output.subarray('ready\n'.length);
  if (received.equals(input)) return 0;
  return total - new Set(received.toString().split('\n').slice(0, -1)).size;
}
