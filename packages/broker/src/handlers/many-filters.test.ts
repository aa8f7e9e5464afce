import { PacketType } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { PINGREQ, publishPacket, subscribePacket, unsubscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const FILTERS = 10_000;
const names = Array.from({ length: FILTERS }, (_, at) => `many/${at}/+`);
const subscribeToAll = subscribePacket(Object.fromEntries(names.map((name) => [name, 1])));

/** A client that exchanges one message after the other with itself, and how many subscriptions it saw each time. */
async function bystander(broker: TestBroker): Promise<{ begin(): void; readonly seen: number[] }> {
  const client = await broker.connect({ clientId: 'bystander' });
  await client.send(subscribePacket({ own: 0 }));
  const seen: number[] = [];
  client.onPacket = ({ type }) => {
    if (type !== PacketType.PUBLISH) return;
    seen.push(broker.engine.tree.size);
    // Later, as over a network.
    if (seen.length < 20) setImmediate(() => client.write(publishPacket('own', 'x')));
  };
  return { begin: () => client.write(publishPacket('own', 'x')), seen };
}

describe('very many filters in one packet', () => {
  it('SUBSCRIBE lets others through in between; its answer and what comes behind it keep their order', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect({ clientId: 'greedy' });
    const { begin, seen } = await bystander(broker);
    greedy.write(subscribeToAll, PINGREQ);
    begin();
    const [suback, ...rest] = await greedy.take();
    expect(suback).toBe(`SUBACK #1 ${names.map(() => '0x01').join(' ')}`);
    expect(rest).toEqual(['PINGRESP']);
    expect(seen.filter((count) => count < FILTERS).length).toBeGreaterThan(5);
    expect(broker.engine.tree.size).toBe(FILTERS + 1);
  });

  it('UNSUBSCRIBE does so too', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect({ clientId: 'greedy' });
    await greedy.send(subscribeToAll);
    const { begin, seen } = await bystander(broker);
    greedy.write(unsubscribePacket(names), PINGREQ);
    begin();
    expect((await greedy.take()).map((line) => line.split(' ')[0])).toEqual(['UNSUBACK', 'PINGRESP']);
    expect(seen.filter((count) => count > 1).length).toBeGreaterThan(5);
    expect(broker.engine.tree.size).toBe(1);
  });

  it('a connection that ends in the middle of SUBSCRIBE leaves nothing', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect({ clientId: 'greedy' });
    const { begin, seen } = await bystander(broker);
    greedy.write(subscribeToAll);
    setImmediate(() => greedy.socket.destroy());
    begin();
    await broker.settle();
    expect(Math.max(...seen)).toBeLessThan(FILTERS);
    expect(broker.engine.tree.size).toBe(1);
  });
});

describe('a session that ends with very many subscriptions', () => {
  it('leaves them in several turns, in which others are served and it gets nothing', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect({ clientId: 'greedy' });
    await greedy.send(subscribeToAll);
    const session = broker.engine.sessions.get('greedy')!;
    const { begin, seen } = await bystander(broker);
    const publisher = await broker.connect({ clientId: 'publisher' });
    greedy.socket.destroy();
    setImmediate(() => publisher.write(publishPacket(`many/${FILTERS - 1}/x`, 'x', { qos: 1, packetId: 1 })));
    begin();
    await broker.settle();
    expect(seen.filter((count) => count > 1).length).toBeGreaterThan(5);
    expect(session.outbound.pending).toBe(0);
    expect(broker.engine.tree.size).toBe(1);
    expect(broker.engine.sessions.get('greedy')).toBeUndefined();
  });

  it('is passed over where it shares a subscription with others', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect({ clientId: 'greedy' });
    const other = await broker.connect({ clientId: 'other' });
    await greedy.send(subscribeToAll, subscribePacket({ '$share/g/work': 0 }));
    await other.send(subscribePacket({ '$share/g/work': 0 }));
    const publisher = await broker.connect({ clientId: 'publisher' });
    greedy.socket.destroy();
    let left = -1;
    setImmediate(() => {
      left = broker.engine.tree.size;
      publisher.write(publishPacket('work', '1'), publishPacket('work', '2'));
    });
    expect(await other.take()).toEqual(['PUBLISH work=1', 'PUBLISH work=2']);
    expect(left).toBeGreaterThan(2);
  });

  it('may be followed by another one by the same Client Identifier at once', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect({ clientId: 'greedy' });
    await greedy.send(subscribeToAll);
    greedy.socket.destroy();
    const again = await broker.connect({ clientId: 'greedy' });
    await again.send(subscribePacket({ 'many/1/+': 0 }));
    expect(await again.send(publishPacket('many/1/x', 'x'))).toEqual(['PUBLISH many/1/x=x']);
    expect(broker.engine.tree.size).toBe(1);
  });
});
