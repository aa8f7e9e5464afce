import { Duplex } from 'node:stream';
import { encodePacket } from '@tsmqtt/protocol';
import { expect, it } from 'vitest';
import { connectPacket, publishPacket } from '../../test/raw-client.js';
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
