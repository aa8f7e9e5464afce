// A publisher and a subscriber that have nothing to do with what else goes on at the broker, in a process of their own:
// one message after the other, acknowledged and received. Every line on stdin is answered with what happened since the
// line before: messages, milliseconds, the longest that one took.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const port = Number(process.argv[2]);
const bytes = (hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const client = (id) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('close', () => {
    console.error(`${id} was closed`);
    process.exit(1);
  });
  socket.write(bytes(`10 0d 0004 4d515454 04 02 0000 0001 ${Buffer.from(id).toString('hex')}`));
  return socket;
};
const subscriber = client('s');
const publisher = client('p');
subscriber.write(bytes('82 08 0001 0003 622f78 00'));

const CONNACK = 4;
const SUBACK = 5;
const PUBLISH = 15;
const PUBACK = 4;
let number = 0;
let received = -(CONNACK + SUBACK);
let acknowledged = -CONNACK;
let messages = 0;
let longest = 0;
let since = performance.now();
let sentAt = 0;

function step() {
  if (received < PUBLISH * number || acknowledged < PUBACK * number) return;
  const now = performance.now();
  if (number > 0) {
    messages++;
    longest = Math.max(longest, now - sentAt);
  }
  sentAt = now;
  number++;
  const payload = String(number).padStart(8, '0');
  publisher.write(Buffer.concat([bytes('32 0f 0003 622f78 0001'), Buffer.from(payload)]));
}

subscriber.on('data', (chunk) => {
  received += chunk.length;
  const last = chunk.toString('latin1', chunk.length - 8);
  if (received > 0 && last !== String(number).padStart(8, '0')) {
    console.error(`got ${last} where ${number} was sent`);
    process.exit(1);
  }
  step();
});
publisher.on('data', (chunk) => {
  acknowledged += chunk.length;
  step();
});
createInterface({ input: process.stdin }).on('line', () => {
  const now = performance.now();
  console.log(JSON.stringify({ messages, milliseconds: now - since, longest }));
  messages = 0;
  longest = 0;
  since = now;
});
