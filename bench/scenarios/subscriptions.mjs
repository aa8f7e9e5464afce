// What a publish costs by the number of subscriptions that do not match it: 1,000 fixed topics, each with one match.
import { countQoS0, pourQoS0, Tally } from '../load/flows.mjs';
import { publishPacket } from '../load/raw-packets.mjs';
import { RawSocket } from '../load/raw-socket.mjs';
import { inTurn, median, result } from '../measure.mjs';
import { installed, withBroker } from '../peers.mjs';

const labels = { tsmqtt: 'tsmqtt-broker', mosquitto: 'mosquitto', aedes: 'aedes' };
const NUMBERS = [10, 1000, 100_000];
const TOPICS = 1000;
const FILTERS_A_PACKET = 500;

/** Filters with wildcards in every place, none of which matches `site/NNN/value`. */
function others(count) {
  return Array.from({ length: count }, (_, index) => {
    const kinds = [
      `site/+/v${index}`,
      `+/${index}/n`,
      `s${index}/#`,
      `site/${index}/+/deep`,
      `site/x${index}/+`,
    ];
    return kinds[index % kinds.length];
  });
}

export async function subscriptions({ runs, scale }) {
  const topics = Array.from({ length: TOPICS }, (_, index) => `site/${String(index).padStart(3, '0')}/value`);
  const packets = topics.map((topic) => publishPacket(topic, '12345678'));
  const round = Buffer.concat(packets);
  const results = [];
  const perNumber = new Map();
  for (const number of NUMBERS) {
    const taken = await inTurn(Object.keys(labels).filter(installed), { runs }, (name) =>
      withBroker(name, [], async ({ port }) => {
        const holder = await RawSocket.open(port, 'holder');
        const filters = others(number);
        for (let at = 0; at < filters.length; at += FILTERS_A_PACKET) {
          await holder.subscribe(filters.slice(at, at + FILTERS_A_PACKET), 0);
        }
        const subscriber = await RawSocket.open(port, 'subscriber');
        await subscriber.subscribe(['site/+/value'], 0);
        const rounds = Math.max(1, Math.round((name === 'tsmqtt' ? 1000 : 50) * scale));
        const tally = new Tally(rounds * TOPICS);
        countQoS0(subscriber, packets[0], tally);
        const publisher = await RawSocket.open(port, 'publisher');
        const started = performance.now();
        await pourQoS0(publisher, round, rounds);
        await tally.finished;
        for (const raw of [holder, subscriber, publisher]) raw.close();
        return (tally.count / (tally.last - started)) * 1000;
      }),
    );
    for (const [name, samples] of taken.samples) perNumber.set(`${name} ${number}`, median(samples));
    results.push(
      result({
        title: `1,000 topics with one match each, ${number.toLocaleString('en')} other subscriptions`,
        unit: 'messages a second',
        better: 'more',
        rows: labels,
        ...taken,
      }),
    );
  }
  const growth = Object.entries(labels).flatMap(([name, label]) => {
    const few = perNumber.get(`${name} ${NUMBERS[0]}`);
    const many = perNumber.get(`${name} ${NUMBERS.at(-1)}`);
    if (few === undefined || many === undefined) return [];
    return [
      `${label}: a publish costs ${(few / many).toFixed(2)} times as much with ${NUMBERS.at(-1)} as with ${NUMBERS[0]}`,
    ];
  });
  results.at(-1).notes.push(...growth);
  return results;
}
