import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { encodePacket } from '@tsmqtt/protocol';
import { afterEach, expect, it } from 'vitest';
import { connectPacket, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { type Broker, type BrokerOptions, startBroker } from '../index.js';

let broker: Broker | undefined;

async function start(options: BrokerOptions = {}): Promise<Broker> {
  broker = await startBroker({ listeners: [], ...options });
  return broker;
}

const connections: Duplex[] = [];

afterEach(async () => {
  // Nobody reads them any more, and the broker would wait a second for that.
  for (const connection of connections.splice(0)) connection.destroy();
  await broker?.close();
});

function open(at: Broker): Duplex {
  const connection = at.openConnection();
  connections.push(connection);
  return connection;
}

/** So many bytes of what comes. */
async function read(from: Duplex, size: number): Promise<string> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < size) {
    const chunk = from.read() as Buffer | null;
    if (chunk === null) await once(from, 'readable');
    else bytes = Buffer.concat([bytes, chunk]);
  }
  return bytes.toString('hex');
}

async function connected(to: Broker, clientId: string): Promise<Duplex> {
  const connection = open(to);
  connection.write(encodePacket(connectPacket({ clientId }), 4));
  expect(await read(connection, 4)).toBe('20020000');
  return connection;
}

it('carries MQTT in both directions without a port', async () => {
  const broker = await start();
  expect({ url: broker.url, port: broker.port, addresses: broker.addresses }).toEqual({
    url: '',
    port: 0,
    addresses: [],
  });
  const subscriber = await connected(broker, 's');
  subscriber.write(encodePacket(subscribePacket({ a: 0 }), 4));
  expect(await read(subscriber, 5)).toBe('9003000100');
  const publisher = await connected(broker, 'p');
  publisher.write(encodePacket(publishPacket('a', 'x'), 4));
  expect(await read(subscriber, 6)).toBe('300400016178');
});

it('lets anonymous clients in, and nobody with a wrong password', async () => {
  const verifier = { verify: () => 'refused' as const };
  const broker = await start({ allowAnonymous: false, verifier: verifier as never });
  await connected(broker, 'anonymous');
  const named = open(broker);
  named.write(
    encodePacket(connectPacket({ clientId: 'n', username: 'u', password: Buffer.from('wrong') }), 4),
  );
  expect(await read(named, 4)).toBe('20020005');
});

it('ends when either side ends', async () => {
  const broker = await start();
  const polite = await connected(broker, 'polite');
  polite.resume().end(encodePacket({ type: 14, reasonCode: 0, properties: [] }, 4));
  await once(polite, 'close');
  const broken = await connected(broker, 'broken');
  broken.destroy();
  await once(broken, 'close');
  const idle = await connected(broker, 'idle');
  const closed = once(idle.resume(), 'end').then(() => idle.end());
  await broker.close();
  await closed;
});

it('holds the host program up while a client does not read, and loses nothing', async () => {
  const broker = await start();
  const subscriber = await connected(broker, 's');
  subscriber.write(encodePacket(subscribePacket({ a: 0 }), 4));
  await read(subscriber, 5);
  const payload = Buffer.alloc(10_000, 'x');
  const size = encodePacket(publishPacket('a', payload), 4).length;
  let published = 0;
  const publishing = Array.from({ length: 100 }, () =>
    broker.publish('a', payload).then(() => {
      published++;
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(published).toBeGreaterThan(20);
  expect(published).toBeLessThan(60);
  expect(await read(subscriber, 100 * size)).toHaveLength(100 * size * 2);
  await Promise.all(publishing);
});

it('leaves nothing behind that keeps a process alive', async () => {
  const before = process.getActiveResourcesInfo().sort();
  const broker = await startBroker({ port: 0 });
  const connection = await connected(broker, 'c');
  broker.subscribe('#', () => {});
  expect(process.getActiveResourcesInfo()).toContain('TCPServerWrap');
  connection.resume().once('end', () => connection.end());
  await broker.close();
  // The operating system's handles go at the end of the turn in which they are closed.
  await new Promise((resolve) => setImmediate(resolve));
  const left = process.getActiveResourcesInfo();
  for (const known of before) if (left.includes(known)) left.splice(left.indexOf(known), 1);
  expect(left).toEqual([]);
});

it('shares nothing with other brokers of the process', async () => {
  const one = await start();
  const other = await startBroker({ listeners: [] });
  const seen: string[] = [];
  other.subscribe('#', ({ topic }) => seen.push(topic));
  await one.publish('a', 'x', { retain: true });
  await other.publish('b', 'x');
  await other.close();
  expect(seen.filter((topic) => !topic.startsWith('$SYS'))).toEqual(['b']);
});
