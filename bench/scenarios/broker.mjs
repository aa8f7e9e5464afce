// A broker alone under a raw load generator (bench/load), 8 bytes of payload. Deliveries a second.
import { load } from '../load/start.mjs';
import { inTurn, lasting, result } from '../measure.mjs';
import { installed, withBroker } from '../peers.mjs';

const labels = { tsmqtt: 'tsmqtt-broker', mosquitto: 'mosquitto', aedes: 'aedes' };

/** How long a counted run takes at scale 1, however fast the broker is: the share of its start is the same for all. */
const SECONDS = 3;
/** Messages of each publisher, and all deliveries, in the first try. */
const FEWEST = 20;
const FIRST_DELIVERIES = 20_000;

/** Both brokers' default, and what `max_inflight_messages` sets both to beside it. aedes has no window. */
const WINDOWS = [20, 1000];

/** Publishers, subscribers, and topics that they are spread over; QoS 0, then QoS 1 with each window. */
function scenario(title, { publishers, subscribers, topics }) {
  const cases = [{ qos: 0 }, ...WINDOWS.map((window) => ({ qos: 1, window }))];
  return async (settings) => {
    const tables = [];
    for (const { qos, window } of cases) {
      const name = `${title}, QoS ${qos}${window === undefined ? '' : `, window ${window}`}`;
      const options = window === undefined ? [] : [`max_inflight_messages ${window}`];
      const pattern = { publishers, subscribers, topics, qos, window, payloadBytes: 8 };
      tables.push(await throughput(settings, name, options, pattern));
    }
    return tables;
  };
}

async function throughput({ runs, scale }, title, options, pattern) {
  const fan = (pattern.subscribers / pattern.topics) * pattern.publishers;
  const first = Math.max(FEWEST, Math.ceil(FIRST_DELIVERIES / fan));
  const run = lasting(SECONDS * scale, first, (name, count) =>
    withBroker(name, options, ({ port }) => load('throughput', { ...pattern, port, count })),
  );
  const taken = await inTurn(Object.keys(labels).filter(installed), { runs }, run);
  const notes = [...taken.samples].flatMap(([name, samples]) => {
    const lost = Math.max(...samples.map((sample) => sample.lost));
    return lost > 0 ? [`${labels[name]} did not deliver up to ${lost.toLocaleString('en')} messages`] : [];
  });
  const unit = 'deliveries a second';
  return result({ title, unit, better: 'more', key: 'rate', rows: labels, ...taken, notes });
}

export const oneToOne = scenario('1 publisher to 1 subscriber', { publishers: 1, subscribers: 1, topics: 1 });
export const fanOut = scenario('1 publisher to 100 subscribers', {
  publishers: 1,
  subscribers: 100,
  topics: 1,
});
export const fanIn = scenario('100 publishers to 1 subscriber', {
  publishers: 100,
  subscribers: 1,
  topics: 1,
});
export const pairs = scenario('100 pairs', { publishers: 100, subscribers: 100, topics: 100 });
