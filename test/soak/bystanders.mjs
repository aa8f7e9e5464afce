// Clients that have nothing to do with what else goes on at the broker, in a process of their own. Every line on stdin
// is a way to send and the milliseconds to do it in; it is answered when all that was sent has been acknowledged and
// received, with how many messages that were, in how many milliseconds, and how long one took from publisher to
// subscriber: 99 of 100, and the longest.
//
//   paced 2000     four publishers with a rate of their own, 500 messages a second each, QoS 1, to a subscriber each
//   closed 2000    one publisher, one message after the other, the next when that has been acknowledged and received
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { connectPacket, publishPacket, subscribePacket } from '../../bench/load/raw-packets.mjs';

const port = Number(process.argv[2]);
const PAIRS = 4;
const RATE = 500;
const PUBLISH = 3;
const PUBACK = 4;

/** A client that gives its packets, which are all shorter than 128 bytes, as type and bytes. */
function client(id, packet) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('close', () => fail(`${id} was closed`));
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest[1]) {
      const end = 2 + rest[1];
      packet(rest[0] >> 4, rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
  socket.write(connectPacket(id));
  return socket;
}

function fail(text) {
  console.error(text);
  process.exit(1);
}

/** A publisher and its subscriber. */
class Pair {
  sent = 0;
  acknowledged = 0;
  received = 0;
  sentAt = [];
  waits = [];
  changed = () => {};

  constructor(number) {
    this.topic = `b/${number}`;
    this.subscriber = client(`s${number}`, (type, bytes) => type === PUBLISH && this.#received(bytes));
    this.publisher = client(`p${number}`, (type) => {
      if (type !== PUBACK) return;
      this.acknowledged++;
      this.changed();
    });
    this.subscriber.write(subscribePacket([this.topic], 1));
  }

  /** Everything that was sent has come. */
  get settled() {
    return this.acknowledged === this.sent && this.received === this.sent;
  }

  send() {
    this.sentAt.push(performance.now());
    const packetId = (this.sent++ % 60_000) + 1;
    this.publisher.write(publishPacket(this.topic, String(this.sent), { qos: 1, packetId }));
  }

  #received(bytes) {
    const idAt = 4 + this.topic.length;
    const number = bytes.subarray(idAt + 2).toString();
    if (number !== String(++this.received))
      fail(`${this.topic}: got ${number} where ${this.received} was sent`);
    this.waits.push(performance.now() - this.sentAt[this.received - 1]);
    this.subscriber.write(Buffer.from([0x40, 2, bytes[idAt], bytes[idAt + 1]]));
    this.changed();
  }
}

const pairs = Array.from({ length: PAIRS }, (_, at) => new Pair(at));

/** Sends what is due by the time that has passed, however late the timer is. */
async function paced(milliseconds) {
  const began = performance.now();
  for (let due = 0; due < (RATE * milliseconds) / 1000; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const passed = Math.min(performance.now() - began, milliseconds);
    for (; due < Math.floor((RATE * passed) / 1000); due++) for (const pair of pairs) pair.send();
    if (passed >= milliseconds) break;
  }
  await Promise.all(pairs.map(settled));
}

async function closed(milliseconds) {
  const [pair] = pairs;
  const end = performance.now() + milliseconds;
  await new Promise((resolve) => {
    pair.changed = () => {
      if (!pair.settled) return;
      if (performance.now() >= end) resolve();
      else pair.send();
    };
    pair.changed();
  });
  pair.changed = () => {};
}

function settled(pair) {
  return new Promise((resolve) => {
    pair.changed = () => pair.settled && resolve();
    pair.changed();
  });
}

const ways = { paced, closed };
for await (const line of createInterface({ input: process.stdin })) {
  const [way, milliseconds] = line.split(' ');
  for (const pair of pairs) pair.waits = [];
  const began = performance.now();
  await ways[way](Number(milliseconds));
  const taken = performance.now() - began;
  const waits = pairs.flatMap((pair) => pair.waits).sort((a, b) => a - b);
  const p99 = waits[Math.floor(waits.length * 0.99)] ?? 0;
  console.log(
    JSON.stringify({ messages: waits.length, milliseconds: taken, p99, longest: waits.at(-1) ?? 0 }),
  );
}
