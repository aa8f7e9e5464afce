// Memory of a broker with 5,000 connected clients that say nothing.
import { spawnSync } from 'node:child_process';
import { RawSocket } from '../load/raw-socket.mjs';
import { inTurn, result } from '../measure.mjs';
import { installed, residentMiB, withBroker } from '../peers.mjs';

const labels = { tsmqtt: 'tsmqtt-broker', mosquitto: 'mosquitto', aedes: 'aedes' };

/** Files that stay free for everything else a process has open. */
const SPARE_FILES = 100;
/** Fits any backlog. */
const LOT = 100;

export async function idle({ runs, scale }) {
  const limit = Number(spawnSync('sh', ['-c', 'ulimit -n']).stdout.toString()) || Number.POSITIVE_INFINITY;
  const count = Math.min(Math.round(5000 * scale), limit - SPARE_FILES);
  const taken = await inTurn(Object.keys(labels).filter(installed), { runs }, (name) =>
    withBroker(name, [], async ({ port, pid }) => {
      const before = residentMiB(pid);
      const sockets = [];
      for (let index = 0; index < count; index += LOT) {
        const lot = Array.from({ length: Math.min(LOT, count - index) }, (_, at) =>
          RawSocket.open(port, `idle-${index + at}`),
        );
        sockets.push(...(await Promise.all(lot)));
      }
      const after = residentMiB(pid);
      for (const socket of sockets) socket.close();
      return { after, each: ((after - before) * 1024) / count };
    }),
  );
  const title = `${count.toLocaleString('en')} idle connections`;
  return [
    result({ title: `${title}, the whole broker`, unit: 'MiB', key: 'after', rows: labels, ...taken }),
    result({
      title: `${title}, each over an empty broker`,
      unit: 'KiB',
      key: 'each',
      rows: labels,
      ...taken,
    }),
  ];
}
