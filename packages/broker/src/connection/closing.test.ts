import { expect, it } from 'vitest';
import { disconnectPacket, PINGREQ } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

it.each([
  ['leaves', [disconnectPacket()]],
  ['leaves and says more', [disconnectPacket(), PINGREQ, PINGREQ]],
  ['breaks the protocol', ['f000']],
] as const)(
  'a client that %s and ends is gone at once, not when its time to read is over',
  async (_, last) => {
    const broker = new TestBroker();
    const client = await broker.connect();
    client.write(...last);
    client.socket.end();
    await broker.settle();
    expect(await client.take()).toEqual(['closed']);
    expect(broker.engine.connections.size).toBe(0);
  },
);
