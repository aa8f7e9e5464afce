// A broker alone under a raw load generator (bench/load), 8 bytes of payload. Deliveries a second.
import { load } from '../load/start.mjs';
import { inTurn, result } from '../measure.mjs';
import { installed, withBroker } from '../peers.mjs';

const labels = { tsmqtt: 'tsmqtt-broker', mosquitto: 'mosquitto', aedes: 'aedes' };

/** `deliveries` is how many there are at scale 1 for the fast; the slow get a tenth, or they would take minutes. */
async function throughput(
  { runs, scale },
  { title, publishers, subscribers, topics, qos, deliveries, window = 20 },
) {
  const fan = (subscribers / topics) * publishers;
  const taken = await inTurn(Object.keys(labels).filter(installed), { runs }, (name) =>
    withBroker(name, [], async ({ port }) => {
      const share = name === 'tsmqtt' ? 1 : 0.1;
      const count = Math.max(1, Math.round((deliveries * scale * share) / fan));
      return load('throughput', {
        port,
        publishers,
        subscribers,
        topics,
        qos,
        payloadBytes: 8,
        count,
        window,
      });
    }),
  );
  const notes = [...taken.samples].flatMap(([name, samples]) => {
    const lost = Math.max(...samples.map((sample) => sample.lost));
    return lost > 0 ? [`${labels[name]} did not deliver up to ${lost.toLocaleString('en')} messages`] : [];
  });
  return result({
    title: `${title}, QoS ${qos}${qos === 0 ? '' : `, window ${window}`}`,
    unit: 'deliveries a second',
    better: 'more',
    key: 'rate',
    rows: labels,
    ...taken,
    notes,
  });
}

export const oneToOne = async (settings) => [
  await throughput(settings, {
    title: '1 publisher to 1 subscriber',
    publishers: 1,
    subscribers: 1,
    topics: 1,
    qos: 0,
    deliveries: 6_000_000,
  }),
  await throughput(settings, {
    title: '1 publisher to 1 subscriber',
    publishers: 1,
    subscribers: 1,
    topics: 1,
    qos: 1,
    deliveries: 400_000,
  }),
];

export const fanOut = async (settings) => [
  await throughput(settings, {
    title: '1 publisher to 100 subscribers',
    publishers: 1,
    subscribers: 100,
    topics: 1,
    qos: 0,
    deliveries: 6_000_000,
  }),
  await throughput(settings, {
    title: '1 publisher to 100 subscribers',
    publishers: 1,
    subscribers: 100,
    topics: 1,
    qos: 1,
    deliveries: 1_000_000,
  }),
];

export const fanIn = async (settings) => [
  await throughput(settings, {
    title: '100 publishers to 1 subscriber',
    publishers: 100,
    subscribers: 1,
    topics: 1,
    qos: 0,
    deliveries: 4_000_000,
  }),
  await throughput(settings, {
    title: '100 publishers to 1 subscriber',
    publishers: 100,
    subscribers: 1,
    topics: 1,
    qos: 1,
    deliveries: 400_000,
  }),
];

export const pairs = async (settings) => [
  await throughput(settings, {
    title: '100 pairs',
    publishers: 100,
    subscribers: 100,
    topics: 100,
    qos: 0,
    deliveries: 4_000_000,
  }),
  await throughput(settings, {
    title: '100 pairs',
    publishers: 100,
    subscribers: 100,
    topics: 100,
    qos: 1,
    deliveries: 1_000_000,
  }),
];
