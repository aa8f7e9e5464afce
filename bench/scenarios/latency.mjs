// Time from publisher to subscriber at 10,000 messages a second, QoS 0.
import { load } from '../load/start.mjs';
import { inTurn, result } from '../measure.mjs';
import { installed, withBroker } from '../peers.mjs';

const labels = { tsmqtt: 'tsmqtt-broker', mosquitto: 'mosquitto', aedes: 'aedes' };
const RATE = 10_000;

export async function latency({ runs, scale }) {
  const seconds = Math.max(1, Math.round(5 * scale));
  const taken = await inTurn(Object.keys(labels).filter(installed), { runs }, (name) =>
    withBroker(name, [], ({ port }) => load('latency', { port, rate: RATE, seconds })),
  );
  return [
    ['p50', 'half'],
    ['p99', '99 of 100'],
    ['p999', '999 of 1,000'],
  ].map(([key, share]) =>
    result({
      title: `Latency at ${RATE.toLocaleString('en')} messages a second: ${share} are faster`,
      unit: 'ms',
      key,
      rows: labels,
      ...taken,
    }),
  );
}
