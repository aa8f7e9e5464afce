import { Duplex } from 'node:stream';
import { encodePacket, PacketType } from '@tsmqtt/protocol';
import { expect, it } from 'vitest';
import { connectPacket, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { DEFAULT_LISTENER } from '../settings.js';
import { Connection } from './connection.js';

/** A socket that always has more, as that of a client has who sends faster than the broker reads. */
class EndlessSocket extends Duplex {
  given = 0;
  readonly #chunk: Buffer;

  constructor(
    readonly chunks: number,
    packet: Buffer,
  ) {
    super();
    this.#chunk = Buffer.concat(Array.from({ length: Math.floor(65_536 / packet.length) }, () => packet));
    this.push(encodePacket(connectPacket({ clientId: 'endless' }), 4));
  }

  override _read(): void {
    if (this.given < this.chunks) {
      this.given++;
      this.push(this.#chunk);
    }
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

it('a client that sends without end leaves the others their turn, and is read to the end', async () => {
  const broker = new TestBroker();
  const subscriber = await broker.connect({ clientId: 'subscriber' });
  const chunks = 32;
  const socket = new EndlessSocket(chunks, encodePacket(publishPacket('x', 'm'.repeat(1000)), 4));
  new Connection(socket, broker.engine, broker.engine.settings.listeners[0] ?? DEFAULT_LISTENER, {
    address: '127.0.0.1',
    port: 2,
    identity: undefined,
  });
  // The turns of the event loop that it took until all of the 2 MiB had been read.
  let turns = 0;
  while (socket.given < chunks || socket.readableLength > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  expect(turns).toBeGreaterThanOrEqual(7);
  expect(broker.engine.counters.bytesReceived).toBeGreaterThan(2_000_000);
  expect(await subscriber.exchange('c0 00')).toBe('d0 00');
});

/** Small messages that nobody wants, all in one chunk. */
function crowdOf(count: number): Buffer {
  const packet = encodePacket(publishPacket('nobody', 'm'), 4);
  return Buffer.concat(Array.from({ length: count }, () => packet));
}

/** How many PUBLISH packets of others had been handled when the message of somebody who sends one a time came through. */
async function handledBefore(broker: TestBroker, attack: () => void): Promise<number[]> {
  const subscriber = await broker.connect({ clientId: 'subscriber' });
  await subscriber.send(subscribePacket({ bystander: 0 }));
  const bystander = await broker.connect({ clientId: 'bystander' });
  const handled: number[] = [];
  const publish = encodePacket(publishPacket('bystander', 'x'), 4);
  let last = 0;
  subscriber.onPacket = ({ type }) => {
    if (type !== PacketType.PUBLISH) return;
    const count = broker.engine.counters.packetsReceived[PacketType.PUBLISH] as number;
    handled.push(count - last);
    last = count;
    // Later, as over a network: in memory the next would come before the event loop has turned.
    if (handled.length < 10) setImmediate(() => bystander.write(publish));
  };
  last = broker.engine.counters.packetsReceived[PacketType.PUBLISH] as number;
  attack();
  bystander.write(publish);
  await broker.settle();
  return handled;
}

it('who sends little is served after a few packets of a client that has a megabyte waiting', async () => {
  const broker = new TestBroker();
  const attacker = await broker.connect({ clientId: 'attacker' });
  const count = 100_000;
  const handled = await handledBefore(broker, () => attacker.write(crowdOf(count)));
  expect(handled).toHaveLength(10);
  // What fits into LONG by the test's clock, until it is known that somebody comes again and again; then into SHORT.
  expect(Math.max(...handled)).toBeLessThan(12_000);
  expect(Math.max(...handled.slice(6))).toBeLessThan(100);
  expect(broker.engine.counters.packetsReceived[PacketType.PUBLISH]).toBe(count + 10);
});

it('and after no more of a hundred clients that have as much waiting together', async () => {
  const broker = new TestBroker();
  const attackers = await Promise.all(
    Array.from({ length: 100 }, (_, at) => broker.connect({ clientId: `attacker-${at}` })),
  );
  const chunk = crowdOf(1000);
  const handled = await handledBefore(broker, () => {
    for (const attacker of attackers) attacker.write(chunk);
  });
  expect(handled).toHaveLength(10);
  expect(Math.max(...handled)).toBeLessThan(12_000);
  expect(Math.max(...handled.slice(6))).toBeLessThan(100);
  expect(broker.engine.counters.packetsReceived[PacketType.PUBLISH]).toBe(100 * 1000 + 10);
});
