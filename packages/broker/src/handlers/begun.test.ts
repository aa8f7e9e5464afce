import type { ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { publishPacket, type RawClient, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

// SUBSCRIBE and UNSUBSCRIBE are taken filter by filter: those in front of a bad one count, and nothing answers them
// (broker §9.8).

const text = (value: string): string => {
  const bytes = Buffer.from(value);
  return bytes.length.toString(16).padStart(4, '0') + bytes.toString('hex');
};

function packet(firstByte: string, version: ProtocolVersion, payload: string): string {
  const body = `1234${version === 5 ? '00' : ''}${payload}`;
  return firstByte + (body.length / 2).toString(16).padStart(2, '0') + body;
}

// biome-ignore format: one row a line
const BAD = [
  { what: 'an empty filter', filter: '0000', code: '81' },
  { what: 'a malformed filter', filter: text('a/#/b'), code: '81' },
  { what: 'a filter that is not UTF-8', filter: '0001ff', code: '81' },
  { what: 'a filter that is cut off', filter: '000961', code: '81' },
  { what: 'a length that is cut off', filter: '00', code: '81' },
  { what: '$share without a filter', filter: text('$share/g'), code: '82' },
];

describe.each([3, 4, 5] as const)('version %i', (protocolVersion) => {
  const fields = {
    protocolVersion,
    cleanStart: false,
    properties: protocolVersion === 5 ? [{ name: 'sessionExpiryInterval', value: 100 } as const] : [],
  };
  const ends = (code: string): string => (protocolVersion === 5 ? `e0 01 ${code} closed` : 'closed');

  async function withRetained(): Promise<TestBroker> {
    const broker = new TestBroker();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('one', 'kept', { retain: true }));
    return broker;
  }

  /** The topics of `one` to `three` that its session gets. */
  async function gets(broker: TestBroker): Promise<string[]> {
    const client: RawClient = await broker.attempt(fields);
    expect((await client.take()).slice(1)).toEqual([]);
    const publisher = await broker.connect({ clientId: 'other' });
    for (const topic of ['one', 'two', 'three']) await publisher.send(publishPacket(topic, 'x'));
    return (await client.take()).map((line) => line.replace('PUBLISH ', '').replace('=x', ''));
  }

  it.each([
    ...BAD.map((row) => ({ ...row, filter: `${row.filter}00` })),
    { what: 'QoS 3', filter: `${text('two')}03`, code: '81' },
    { what: 'no options', filter: text('two'), code: '81' },
  ])('SUBSCRIBE with $what behind two good filters', async ({ filter, code }) => {
    const broker = await withRetained();
    const client = await broker.connect(fields);
    const payload = `${text('one')}00${text('three')}00${filter}`;
    expect(await client.exchange(packet('82', protocolVersion, payload))).toBe(ends(code));
    expect(await gets(broker)).toEqual(['one', 'three']);
  });

  it.each(BAD)('UNSUBSCRIBE with $what behind two good filters', async ({ filter, code }) => {
    const broker = await withRetained();
    const client = await broker.connect(fields);
    await client.send(subscribePacket({ two: { retainHandling: 0 }, three: 0 }));
    const payload = `${text('three')}${text('nothing')}${filter}`;
    expect(await client.exchange(packet('a2', protocolVersion, payload))).toBe(ends(code));
    expect(await gets(broker)).toEqual(['two']);
  });

  it('nothing in front of the bad one: nothing is done', async () => {
    const broker = await withRetained();
    const client = await broker.connect(fields);
    expect(await client.exchange(packet('82', protocolVersion, `000000${text('one')}00`))).toBe(ends('81'));
    expect(await gets(broker)).toEqual([]);
  });
});
