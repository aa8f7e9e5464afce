import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { encodePacket } from '@tsmqtt/protocol';
import { expect, onTestFinished, test } from 'vitest';
import {
  type ConnectFields,
  connectPacket,
  publishPacket,
  subscribePacket,
} from '../../packages/broker/test/raw-client.js';
import { type Child, startChild } from '../support/child.js';
import { workspaceRoot } from '../support/workspace.js';
import { WatchedBroker } from './watched-broker.js';

// Each hostile client has a bound on what it may cost the broker, and beside it a publisher and a subscriber whose
// messages keep flowing. How fast they flow is printed and not asserted.

const full = process.env.TSMQTT_FULL === '1';
const CONF = ['allow_anonymous true', 'sys_interval 0'];
const MiB = 1024 * 1024;
const BYSTANDERS = path.join(workspaceRoot, 'test', 'soak', 'bystanders.mjs');

interface Pace {
  readonly messages: number;
  readonly milliseconds: number;
  readonly longest: number;
}

/** A publisher and a subscriber in a process of their own that have nothing to do with it. */
class Bystanders {
  #reports = 0;
  readonly #child: Child;

  constructor(broker: WatchedBroker) {
    this.#child = startChild(process.execPath, [BYSTANDERS, String(broker.port)]);
  }

  /** What went through since the last time; fails when something was lost or a connection closed. */
  async pace(): Promise<Pace> {
    this.#child.stdin.write('\n');
    await this.#child.lines(++this.#reports);
    const lines = this.#child.stdout.toString().split('\n');
    return JSON.parse(lines[this.#reports - 1] as string) as Pace;
  }

  async leave(): Promise<void> {
    await this.#child.kill();
  }

  /** Resolves when so many more have gone through. */
  async exchange(count: number): Promise<Pace> {
    let [messages, milliseconds, longest] = [0, 0, 0];
    while (messages < count) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const pace = await this.pace();
      messages += pace.messages;
      milliseconds += pace.milliseconds;
      longest = Math.max(longest, pace.longest);
    }
    return { messages, milliseconds, longest };
  }
}

async function open(port: number, bytes?: Buffer | string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  if (bytes !== undefined)
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes);
  return socket;
}

const connectBytes = (fields: ConnectFields): Buffer => {
  const packet = connectPacket(fields);
  return encodePacket(packet, packet.protocolVersion);
};

/** A client whose CONNACK has come. */
async function enter(port: number, fields: ConnectFields): Promise<Socket> {
  const socket = await open(port, connectBytes(fields));
  await once(socket, 'data');
  return socket;
}

/** Messages of the bystanders before, and at least so many during and after. */
const EXCHANGES = full ? 5000 : 500;

/** Runs bystanders alone, then beside the hostile ones; gives the MiB by which the broker's heap has grown. */
async function beside(broker: WatchedBroker, title: string, hostile: () => Promise<void>): Promise<number> {
  const bystanders = new Bystanders(broker);
  await bystanders.exchange(EXCHANGES);
  const alone = await bystanders.exchange(EXCHANGES);
  const before = await broker.heap();
  const resident = broker.resident;
  await bystanders.pace();
  await hostile();
  const during = await bystanders.pace();
  // Nobody was shut out: it goes on.
  const after = await bystanders.exchange(EXCHANGES);
  await bystanders.leave();
  const grown = (await broker.heap()) - before;
  const text = ({ messages, milliseconds, longest }: Pace): string =>
    `${((1000 * messages) / milliseconds).toFixed(0)}/s (longest ${longest.toFixed(0)} ms)`;
  console.log(
    `${title}: bystanders ${text(alone)} alone, ${text(during)} during ${(during.milliseconds / 1000).toFixed(1)} s, ` +
      `${text(after)} after; heap +${grown.toFixed(1)} MiB, resident ${resident.toFixed(0)} -> ` +
      `${broker.resident.toFixed(0)} MiB, at most ${broker.peak.toFixed(0)} MiB`,
  );
  expect(during.messages).toBeGreaterThan(0);
  return grown;
}

test('a subscriber that never reads', { timeout: 120_000 }, async () => {
  const broker = await WatchedBroker.start(CONF);
  const grown = await beside(broker, 'a subscriber that never reads', async () => {
    const silent = await enter(broker.port, { clientId: 'silent' });
    silent.write(encodePacket(subscribePacket({ 'flood/#': 0 }), 4));
    await once(silent, 'data');
    silent.pause();
    // 64 MiB for it. The publisher is stopped, until the subscriber is known to be slow; then what is too much is dropped.
    const publisher = await enter(broker.port, { clientId: 'flood' });
    const chunk = Buffer.concat(
      Array.from({ length: 16 }, () => encodePacket(publishPacket('flood/x', Buffer.alloc(65_536)), 4)),
    );
    for (let count = 0; count < 64; count++) {
      if (!publisher.write(chunk)) await once(publisher, 'drain');
    }
    publisher.write(Buffer.from('c000', 'hex'));
    await once(publisher, 'data');
  });
  expect(grown).toBeLessThan(12);
  expect(broker.peak).toBeLessThan(220);
});

test('5,000 connections that say nothing', { timeout: 120_000 }, async () => {
  const broker = await WatchedBroker.start(CONF);
  const grown = await beside(broker, '5,000 silent connections', async () => {
    for (let batch = 0; batch < 50; batch++) {
      await Promise.all(Array.from({ length: 100 }, () => open(broker.port)));
    }
  });
  expect(grown).toBeLessThan(40);
});

test('one byte at a time, and a CONNECT that never ends', { timeout: 120_000 }, async () => {
  const broker = await WatchedBroker.start(CONF);
  const grown = await beside(broker, 'one byte at a time', async () => {
    const slow = await Promise.all(
      Array.from({ length: 50 }, (_, at) => enter(broker.port, { clientId: `slow-${at}` })),
    );
    const endless = await Promise.all(
      // 100,000 bytes announced: a client identifier that is never complete.
      Array.from({ length: 50 }, () => open(broker.port, '10 a0 8d 06 0004 4d515454 04 02 003c ffff')),
    );
    const bytes = encodePacket(publishPacket('slow/x', 'one byte at a time'), 4);
    for (const byte of bytes) {
      for (const socket of [...slow, ...endless]) socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  expect(grown).toBeLessThan(4);
});

test('packets of 256 MB announced', { timeout: 120_000 }, async () => {
  // Nothing limits them here.
  const broker = await WatchedBroker.start([...CONF, 'max_packet_size 268435455']);
  const grown = await beside(broker, '256 MB announced, 100 times', async () => {
    for (let at = 0; at < 100; at++) {
      const socket = await enter(broker.port, { clientId: `greedy-${at}` });
      socket.write(Buffer.from('30ffffff7f000161', 'hex'));
      socket.write(Buffer.alloc(1000));
    }
  });
  expect(grown).toBeLessThan(5);
  expect(broker.peak).toBeLessThan(200);
});

test('1,000 wrong passwords a second', { timeout: 120_000 }, async () => {
  // `pi` with the password `123`, hashed by PBKDF2 with 101 iterations, as mosquitto_passwd 2.0 does.
  const passwords =
    'pi:$7$101$x5g5hXn2rDpBrHby$3kdHKZPr9LKZ5HCfjG8NKgRJrAZ7oUKwUz6VF/+1oEwCVw1WM00uH93wtiUM5eE+CYgiV7ZEYEQ5BcA/axd6XQ==\n';
  const broker = await WatchedBroker.start([...CONF, 'password_file {dir}/passwords'], { passwords });
  const attempts = full ? 10_000 : 2000;
  let refused = 0;
  const grown = await beside(broker, `${attempts} wrong passwords`, async () => {
    const bytes = connectBytes({ clientId: 'guess', username: 'pi', password: Buffer.from('wrong') });
    for (let done = 0; done < attempts; done += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const socket = await open(broker.port, bytes);
          socket.resume();
          await new Promise((resolve) => socket.once('close', resolve));
          refused++;
        }),
      );
    }
  });
  expect(refused).toBe(attempts);
  expect(grown).toBeLessThan(6);
});

test('100,000 subscriptions of one client', { timeout: 120_000 }, async () => {
  const broker = await WatchedBroker.start(CONF);
  const grown = await beside(broker, '100,000 subscriptions', async () => {
    const socket = await enter(broker.port, { clientId: 'subscriber' });
    for (let batch = 0; batch < 100; batch++) {
      const filters = Array.from({ length: 1000 }, (_, at) => [`s/${batch}/${at}/+/#`, 1] as const);
      socket.write(encodePacket(subscribePacket(Object.fromEntries(filters)), 4));
      await once(socket, 'data');
    }
  });
  // About 1 KB each.
  expect(grown).toBeLessThan(110);
});

test('topics of 200 levels', { timeout: 120_000 }, async () => {
  const broker = await WatchedBroker.start(CONF);
  const topics = 500;
  const grown = await beside(
    broker,
    `${topics} retained topics of 200 levels, subscribed by wildcards`,
    async () => {
      const socket = await enter(broker.port, { clientId: 'deep' });
      const wildcards = Array.from({ length: 50 }, (_, at) => `${'+/'.repeat(at)}#`);
      socket.write(
        encodePacket(subscribePacket(Object.fromEntries(wildcards.map((filter) => [filter, 0]))), 4),
      );
      socket.resume();
      for (let at = 0; at < topics; at++) {
        const topic = Array.from({ length: 200 }, (_, level) => `${at}-${level}`).join('/');
        if (!socket.write(encodePacket(publishPacket(topic, 'x', { retain: true }), 4)))
          await once(socket, 'drain');
      }
      socket.write(encodePacket(publishPacket('done', '', { qos: 1, packetId: 9 }), 4));
      let seen = '';
      while (!seen.includes('40020009'))
        seen = seen.slice(-8) + (await once(socket, 'data'))[0].toString('hex');
    },
  );
  // 200 nodes a topic.
  expect(grown).toBeLessThan(topics * 0.12);
});

test('a flood of retained messages, and # against all of them', { timeout: 600_000 }, async () => {
  const topics = full ? 1_000_000 : 100_000;
  const broker = await WatchedBroker.start(CONF);
  const kept = await beside(broker, `${topics} retained messages of one publisher`, async () => {
    const publisher = await enter(broker.port, { clientId: 'retains' });
    for (let from = 0; from < topics; from += 1000) {
      const batch = Array.from({ length: 1000 }, (_, at) =>
        encodePacket(publishPacket(`many/${(from + at) % 1000}/${from + at}`, 'x', { retain: true }), 4),
      );
      if (!publisher.write(Buffer.concat(batch))) await once(publisher, 'drain');
    }
    publisher.write(Buffer.from('c000', 'hex'));
    await once(publisher, 'data');
  });
  // Less than 700 bytes a topic.
  expect(kept).toBeLessThan((topics * 700) / MiB);
  const grown = await beside(broker, `# against ${topics} retained messages`, async () => {
    const reader = await enter(broker.port, { clientId: 'reads all' });
    let bytes = 0;
    reader.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    reader.write(encodePacket(subscribePacket({ 'many/#': 0 }), 4));
    // Each is at least 13 bytes.
    while (bytes < topics * 13) await once(reader, 'data');
  });
  expect(grown).toBeLessThan(8);
});
