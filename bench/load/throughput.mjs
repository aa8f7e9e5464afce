// The load generator of the broker scenarios, a process of its own: `node throughput.mjs JSON`, answers JSON.
//
//   { port, publishers, subscribers, topics, qos, payloadBytes, count, window }
//
// Publisher i sends `count` messages to topic i % topics, subscriber i has topic i % topics. Answers the deliveries a
// second, from the first message to the last delivery, and how many deliveries never came.
import { acknowledgeQoS1, countQoS0, pourQoS0, pourQoS1, Tally } from './flows.mjs';
import { publishPacket } from './raw-packets.mjs';
import { RawSocket } from './raw-socket.mjs';

const { port, publishers, subscribers, topics, qos, payloadBytes, count, window } = JSON.parse(
  process.argv[2],
);
const payload = Buffer.alloc(payloadBytes, 'x');
const topicOf = (index) => `bench/${String(index % topics).padStart(4, '0')}`;
const sample = publishPacket(topicOf(0), payload, { qos, packetId: 1 });

// What a topic's publishers send goes to each of its subscribers.
let deliveries = 0;
for (let index = 0; index < publishers; index += 1) {
  const topic = index % topics;
  deliveries += count * (Math.floor(subscribers / topics) + (topic < subscribers % topics ? 1 : 0));
}
const tally = new Tally(deliveries);
const sockets = [];
for (let index = 0; index < subscribers; index += 1) {
  const raw = await RawSocket.open(port, `sub-${index}`);
  await raw.subscribe([topicOf(index)], qos);
  if (qos === 0) countQoS0(raw, sample, tally);
  else acknowledgeQoS1(raw, sample, payloadBytes, tally);
  sockets.push(raw);
}
const sources = [];
for (let index = 0; index < publishers; index += 1) sources.push(await RawSocket.open(port, `pub-${index}`));
const started = performance.now();
for (const [index, raw] of sources.entries()) {
  if (qos === 0) void pourQoS0(raw, publishPacket(topicOf(index), payload), count);
  else void pourQoS1(raw, topicOf(index), payload, count, window);
}
await tally.finished;
const seconds = (tally.last - started) / 1000;
console.log(JSON.stringify({ rate: tally.count / seconds, seconds, lost: deliveries - tally.count }));
process.exit(0);
