// Memory of a broker with 5,000 connected clients that say nothing.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { inTurn, median, ratio, rounds, table } from '../measure.mjs';
import { installed, startBroker } from '../peers.mjs';

const labels = { tsmqtt: 'tsmqtt-broker', mosquitto: 'mosquitto', aedes: 'aedes' };

/** Files that stay free for everything else a process has open. */
const SPARE_FILES = 100;

export async function idle() {
  const limit = Number(spawnSync('sh', ['-c', 'ulimit -n']).stdout.toString()) || Number.POSITIVE_INFINITY;
  const count = Math.min(5000, limit - SPARE_FILES);
  const names = Object.keys(labels).filter(installed);
  const before = new Map(names.map((name) => [name, []]));
  const samples = await inTurn(names, rounds(3), async (name) => {
    const broker = await startBroker(name);
    const sockets = [];
    try {
      before.get(name).push(residentMiB(broker.pid));
      // In lots that fit any backlog.
      for (let index = 0; index < count; index += 100) {
        const lot = Array.from({ length: Math.min(100, count - index) }, (_, at) =>
          connected(broker.port, index + at),
        );
        sockets.push(...(await Promise.all(lot)));
      }
      return residentMiB(broker.pid);
    } finally {
      for (const socket of sockets) socket.destroy();
      await broker.stop();
    }
  });
  const rows = names.map((name) => {
    const each = ((median(samples.get(name)) - median(before.get(name))) * 1024) / count;
    return [
      labels[name],
      median(before.get(name)).toFixed(1),
      median(samples.get(name)).toFixed(1),
      each.toFixed(1),
      name === 'tsmqtt' ? '' : ratio(samples, name, 'tsmqtt').toFixed(2),
    ];
  });
  const head = ['', 'MiB before', 'MiB after', 'KiB a connection', 'after / tsmqtt'];
  return `### ${count.toLocaleString('en')} idle connections, ${rounds(3)} rounds\n\n${table(head, rows)}`;
}

/** Resolves when the broker has answered CONNECT (3.1.1, clean session, keep alive 600 s). */
function connected(port, number) {
  const id = Buffer.from(`idle-${number}`);
  const head = Buffer.from([0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 2, 0x58, 0, id.length]);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([head, id])));
    socket.on('error', reject);
    socket.once('data', () => resolve(socket));
  });
}

function residentMiB(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}
