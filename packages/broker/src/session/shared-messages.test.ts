import { describe, expect, it } from 'vitest';
import { type ConnectFields, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import type { Message } from '../routing/message.js';

const lasting = (clientId: string): ConnectFields => ({ clientId, cleanStart: false });

/** Sessions that are offline and subscribed to `t`. */
async function offline(broker: TestBroker, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, index) => `client ${index}`);
  for (const id of ids) {
    const client = await broker.connect(lasting(id));
    await client.send(subscribePacket({ t: 2 }));
    await client.vanish();
  }
  return ids;
}

function heldBy(broker: TestBroker, ids: readonly string[]): Message[] {
  const held: Message[] = [];
  for (const id of ids) broker.engine.sessions.get(id)?.forEachMessage((message) => held.push(message));
  return held;
}

describe('a message that many offline sessions wait for', () => {
  it.each([0, 1, 2] as const)('is kept once at QoS %i, in no more bytes than it has', async (qos) => {
    const broker = new TestBroker({ settings: { queueQos0Messages: true } });
    const ids = await offline(broker, 50);
    const publisher = await broker.connect({ clientId: 'publisher' });
    // In one chunk with others: what is kept must not hold on to the rest of it.
    publisher.write(publishPacket('u', Buffer.alloc(50_000)));
    publisher.write(
      publishPacket('t', Buffer.alloc(1000), { qos, packetId: qos === 0 ? 0 : 7, retain: true }),
    );
    publisher.write(publishPacket('u', Buffer.alloc(50_000)));
    if (qos === 2) publisher.write('62020007');
    await publisher.take();
    const held = heldBy(broker, ids);
    expect(held).toHaveLength(50);
    expect(new Set(held).size).toBe(1);
    // Fixed header, topic, Packet Identifier, payload.
    expect(held[0]?.frame.source.length).toBe(3 + 3 + (qos === 0 ? 0 : 2) + 1000);
    const watcher = broker.engine.retained.matching('t');
    let retained: Message | undefined;
    while (!watcher.done) retained = watcher.step() ?? retained;
    expect(retained).toBe(held[0]);
  });

  it('is dropped for each at its own bound', async () => {
    const broker = new TestBroker({ settings: { maxQueuedMessages: 10 } });
    const ids = await offline(broker, 20);
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let id = 1; id <= 30; id++)
      publisher.write(publishPacket('t', String(id), { qos: 1, packetId: id }));
    await publisher.take();
    const held = heldBy(broker, ids);
    expect(held).toHaveLength(200);
    expect(new Set(held).size).toBe(10);
    expect(broker.engine.counters.dropped).toBe(400);
  });
});
