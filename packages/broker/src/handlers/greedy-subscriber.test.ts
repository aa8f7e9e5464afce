import { describe, expect, it } from 'vitest';
import { publishPacket, subscribePacket, unsubscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const FILTERS = 100_000;
const BATCH = 1000;

/** A filter of as many levels as there may be, that no other shares more than its first level with. */
const deep = (index: number): string => [String(index), ...new Array<string>(199).fill('x'), 'y'].join('/');

function batches(filterOf: (index: number) => string, count: number, size: number): string[][] {
  return Array.from({ length: count / size }, (_, batch) =>
    Array.from({ length: size }, (_, index) => filterOf(batch * size + index)),
  );
}

const asked = (filters: readonly string[]) =>
  subscribePacket(Object.fromEntries(filters.map((filter) => [filter, 0])));

describe('one client with very many subscriptions', () => {
  it('has each of 100,000, others are served between, and nothing is left when it goes', async () => {
    const broker = new TestBroker();
    const [greedy, other] = [
      await broker.connect({ clientId: 'greedy' }),
      await broker.connect({ clientId: 'other' }),
    ];
    await other.send(subscribePacket({ '#': 0 }));
    for (const filters of batches((index) => `many/${index}`, FILTERS, BATCH)) {
      greedy.write(asked(filters));
      expect(await other.send(publishPacket('a', 'x'))).toEqual(['PUBLISH a=x']);
    }
    expect(broker.engine.tree.size).toBe(FILTERS + 1);
    await greedy.take();
    for (const index of [0, 4711, FILTERS - 1]) {
      await other.send(publishPacket(`many/${index}`, 'x'));
      expect(await greedy.take()).toEqual([`PUBLISH many/${index}=x`]);
    }
    await greedy.send(unsubscribePacket(['many/7']));
    expect(broker.engine.tree.size).toBe(FILTERS);
    await greedy.vanish();
    expect([broker.engine.tree.size, broker.engine.tree.places]).toEqual([1, 2]);
  });

  it('of 200 levels: two places in the tree for each at most', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect();
    for (const filters of batches(deep, 2000, 100)) await greedy.send(asked(filters));
    expect(broker.engine.tree.size).toBe(2000);
    expect(broker.engine.tree.places).toBeLessThanOrEqual(1 + 2 * 2000);
    expect(await greedy.send(publishPacket(deep(1234), 'x'))).toEqual([`PUBLISH ${deep(1234)}=x`]);
  });

  it('that all match one message: its output stays within the bound, and others get theirs (broker B-10)', async () => {
    const broker = new TestBroker();
    const greedy = await broker.connect({ clientId: 'greedy' });
    const filterOf = (index: number): string =>
      [...index.toString(2).padStart(13, '0')].map((bit) => (bit === '1' ? '+' : 'x')).join('/');
    for (const filters of batches(filterOf, 2 ** 13, 2 ** 10)) await greedy.send(asked(filters));
    const other = await broker.connect({ clientId: 'other' });
    await other.send(subscribePacket({ '#': 0 }));
    const [connection] = [...broker.engine.connections];
    greedy.socket.stall();
    const topic = filterOf(0);
    expect(await other.send(publishPacket(topic, 'p'.repeat(1000)))).toHaveLength(1);
    expect(connection!.backlog).toBeLessThan(262_144 + 2000);
    expect(broker.engine.counters.dropped).toBeGreaterThan(0);
  });
});
