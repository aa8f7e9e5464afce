// Clients that ask for as much as they can, in a process of their own: `attackers.mjs NAME PORT`, and they go on until
// they are killed. `ready` on stdout when the attack is on; a line on stdin stops it, answered with what was done.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { connectPacket, PINGREQ, publishPacket, subscribePacket } from '../../bench/load/raw-packets.mjs';

const [name, portText, sizeText] = process.argv.slice(2);
const port = Number(portText);
const size = Number(sizeText);
let stopped = false;
const done = {};
const count = (what, by = 1) => {
  done[what] = (done[what] ?? 0) + by;
};

async function open(...bytes) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  for (const some of bytes) socket.write(some);
  return socket;
}

/** A client whose CONNACK has come. */
async function enter(id) {
  const socket = await open(connectPacket(id));
  await once(socket, 'data');
  return socket;
}

async function send(socket, bytes) {
  if (!socket.write(bytes)) await once(socket, 'drain');
}

/** Resolves when everything that was sent before has been handled; what comes meanwhile is counted. */
async function pong(socket) {
  socket.write(PINGREQ);
  for (;;) {
    const [chunk] = await once(socket, 'data');
    if (chunk.length >= 2 && chunk.readUInt16BE(chunk.length - 2) === 0xd000) return;
  }
}

/** Does something so many times a second. */
async function paced(rate, act) {
  const began = performance.now();
  for (let times = 0; !stopped; ) {
    await wait(1);
    for (const due = ((performance.now() - began) / 1000) * rate; times < due && !stopped; times++)
      act(times);
  }
}

const attacks = {
  /** A subscriber that never reads, and a publisher that fills it. */
  async silent(ready) {
    const silent = await enter('silent');
    silent.write(subscribePacket(['flood/#'], 0));
    await once(silent, 'data');
    silent.pause();
    const publisher = await enter('flood');
    const chunk = Buffer.concat(
      Array.from({ length: 16 }, () => publishPacket('flood/x', Buffer.alloc(65_536))),
    );
    ready();
    while (!stopped) {
      await send(publisher, chunk);
      count('MiB sent');
    }
  },

  /** Connections that say nothing; 500 of them leave each second, and others come. */
  async idle(ready) {
    const sockets = [];
    for (let batch = 0; batch < size / 100; batch++) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open()))));
    }
    ready();
    await paced(500, async (at) => {
      sockets[at % sockets.length].destroy();
      sockets[at % sockets.length] = await open();
      count('new connections');
    });
  },

  /** One byte a second: of a PUBLISH, and of a CONNECT that never ends. */
  async bytes(ready) {
    const packet = publishPacket('slow/x', 'one byte at a time');
    const endless = Buffer.from('10a08d0600044d5154540402003cffff', 'hex');
    const slow = [];
    for (let at = 0; at < size; at++) slow.push(await enter(`slow-${at}`), await open(endless));
    ready();
    await paced(slow.length, (at) => {
      const socket = slow[at % slow.length];
      socket.write(packet.subarray(Math.floor(at / slow.length) % packet.length).subarray(0, 1));
      count('bytes');
    });
  },

  /** Clients that announce 256 MB and send 10 KB a second of it; 100 of them leave each second, and others come. */
  async announced(ready) {
    const head = Buffer.from('30ffffff7f000161', 'hex');
    const greedy = (at) => open(connectPacket(`greedy-${at % size}`), head);
    const sockets = await Promise.all(Array.from({ length: size }, (_, at) => greedy(at)));
    const some = Buffer.alloc(1000);
    ready();
    await paced(10 * size, async (at) => {
      sockets[at % size].write(some);
      count('KB');
      if (at % 10 > 0) return;
      sockets[at % size].destroy();
      sockets[at % size] = await greedy(at);
      count('announced');
    });
  },

  /** 1,000 wrong passwords a second, for a user that there is. */
  async passwords(ready) {
    const tail = Buffer.from('0005677565737300027069000577726f6e67', 'hex');
    const bytes = Buffer.concat([
      Buffer.from([0x10, 10 + tail.length]),
      Buffer.from('00044d51545404c2003c', 'hex'),
      tail,
    ]);
    ready();
    await paced(1000, async () => {
      const socket = await open(bytes);
      socket.resume();
      await once(socket, 'close');
      count('refused');
    });
  },

  /** 100,000 subscriptions of one client, which leaves with all of them and comes again. */
  async subscriptions(ready) {
    const batches = Array.from({ length: 100 }, (_, batch) =>
      subscribePacket(
        Array.from({ length: size / 100 }, (_, at) => `s/${batch}/${at}/+/#`),
        1,
      ),
    );
    ready();
    while (!stopped) {
      const socket = await enter('subscriber');
      for (const batch of batches) {
        await send(socket, batch);
        count('subscriptions', size / 100);
        if (stopped) return;
      }
      await pong(socket);
      count('clients');
      socket.destroy();
    }
  },

  /** Retained messages to topics of 200 levels, which 50 filters with wildcards match. */
  async levels(ready) {
    const socket = await enter('deep');
    socket.write(
      subscribePacket(
        Array.from({ length: 50 }, (_, at) => `${'+/'.repeat(at)}#`),
        0,
      ),
    );
    socket.resume();
    const packets = Array.from({ length: size }, (_, at) =>
      publishPacket(Array.from({ length: 200 }, (_, level) => `${at}-${level}`).join('/'), 'x', {
        retain: true,
      }),
    );
    ready();
    for (let at = 0; !stopped; at++) {
      await send(socket, packets[at % size]);
      count('messages');
    }
  },

  /** A flood of retained messages. */
  async retained(ready) {
    const socket = await enter('retains');
    const batches = [];
    for (let from = 0; from < size; from += 1000) {
      const batch = Array.from({ length: 1000 }, (_, at) =>
        publishPacket(`many/${(from + at) % 1000}/${from + at}`, 'x', { retain: true }),
      );
      batches.push(Buffer.concat(batch));
    }
    ready();
    for (let at = 0; !stopped || at < batches.length; at++) {
      await send(socket, batches[at % batches.length]);
      count('messages', 1000);
    }
    await pong(socket);
  },

  /** `#` against what the flood has left, over and over. */
  async wildcard(ready) {
    const socket = await enter('reads all');
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    ready();
    while (!stopped) {
      bytes = 0;
      socket.write(subscribePacket(['many/#'], 0));
      // Each is at least 13 bytes.
      while (bytes < size * 13 && !stopped) await once(socket, 'data');
      count('times');
    }
  },
};

createInterface({ input: process.stdin }).once('line', () => {
  stopped = true;
});
await attacks[name](() => console.log('ready'));
await turn();
console.log(JSON.stringify(done));
// The connections stay.
setInterval(() => {}, 1000);
