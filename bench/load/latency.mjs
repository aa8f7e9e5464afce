// One message every 0.1 ms with its time in it: `node latency.mjs JSON`, answers JSON with percentiles in milliseconds.
//
//   { port, rate, seconds }
import { publishPacket } from './raw-packets.mjs';
import { RawSocket } from './raw-socket.mjs';

const { port, rate, seconds } = JSON.parse(process.argv[2]);
const TOPIC = 'bench/latency';
const total = rate * seconds;
const packet = publishPacket(TOPIC, Buffer.alloc(8));
const timeAt = packet.length - 8;
const subscriber = await RawSocket.open(port, 'sub');
await subscriber.subscribe([TOPIC], 0);
const publisher = await RawSocket.open(port, 'pub');

const latencies = new Float64Array(total);
let received = 0;
let rest = Buffer.alloc(0);
const finished = new Promise((resolve) => {
  subscriber.onBytes = (came, buffer) => {
    const now = performance.now();
    const data = Buffer.concat([rest, buffer.subarray(0, came)]);
    let at = 0;
    for (; at + packet.length <= data.length; at += packet.length) {
      latencies[received] = now - data.readDoubleBE(at + timeAt);
      received += 1;
    }
    rest = Buffer.from(data.subarray(at));
    if (received >= total) resolve();
  };
});
const started = performance.now();
let sent = 0;
// Timers are too coarse: the loop is polled, and what has become due is sent.
function tick() {
  const due = Math.min(total, Math.floor((performance.now() - started) * (rate / 1000)));
  if (due > sent) {
    const chunk = Buffer.concat(Array.from({ length: due - sent }, () => packet));
    const now = performance.now();
    for (let at = timeAt; at < chunk.length; at += packet.length) chunk.writeDoubleBE(now, at);
    publisher.socket.write(chunk);
    sent = due;
  }
  if (sent < total) setImmediate(tick);
}
tick();
await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, (seconds + 20) * 1000))]);
const sorted = latencies.subarray(0, received).sort();
const at = (share) => sorted[Math.min(received - 1, Math.floor(received * share))];
console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99), p999: at(0.999), lost: total - received }));
process.exit(0);
