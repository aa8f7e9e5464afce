import { describe, expect, test } from 'vitest';
import { acknowledgement, Numbered, WrittenDown } from '../../test/outbound-peer.js';
import { OutboundFlow } from './outbound-flow.js';

function sized(qos: 1 | 2, number: number, bytes: number): Numbered {
  const message = new Numbered(qos, number);
  message.bytes = bytes;
  return message;
}

function flowOf(maximumBytes: number, ...sizes: readonly number[]) {
  const peer = new WrittenDown();
  const flow = new OutboundFlow<Numbered>(peer);
  flow.limit(65_535, maximumBytes);
  flow.connected(65_535, false);
  for (const [number, bytes] of sizes.entries()) flow.send(sized(number % 2 === 0 ? 1 : 2, number, bytes));
  return { flow, peer };
}

describe('a limit of bytes on the way', () => {
  const cases: readonly (readonly [maximum: number, sizes: readonly number[], sent: number])[] = [
    [100, [50, 49, 1, 1], 3],
    [100, [50, 50, 1], 2],
    [100, [99, 500, 1], 2],
    [100, [500, 1], 1],
    [100, [0, 0, 0], 3],
    [1, [1, 1], 1],
    [Number.POSITIVE_INFINITY, [500, 500, 500], 3],
  ];
  test.each(cases)('of %i, with messages of %j: %i go out', (maximum, sizes, sent) => {
    const { flow, peer } = flowOf(maximum, ...sizes);
    expect(peer.lines()).toHaveLength(sent);
    const total = (part: readonly number[]): number => part.reduce((sum, bytes) => sum + bytes, 0);
    expect([flow.queuedBytes, flow.pendingBytes]).toEqual([total(sizes.slice(sent)), total(sizes)]);
  });

  test('goes on when what is on the way is below it again', () => {
    const { flow, peer } = flowOf(100, 60, 60, 60, 60);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1', 'PUBLISH 1 id 2']);
    flow.acknowledge(acknowledgement('PUBACK', 1));
    expect(peer.lines()).toEqual(['settled 0 code 0', 'PUBLISH 2 id 3']);
    flow.acknowledge(acknowledgement('PUBREC', 2));
    expect(peer.lines()).toEqual(['PUBREL id 2']);
    flow.acknowledge(acknowledgement('PUBCOMP', 2));
    expect(peer.lines()).toEqual(['settled 1 code 0', 'PUBLISH 3 id 4']);
    expect([flow.queuedBytes, flow.pendingBytes]).toEqual([0, 120]);
  });

  test('holds for what is sent again too', () => {
    const { flow, peer } = flowOf(1000, 60, 60, 60);
    peer.lines();
    flow.disconnected();
    flow.limit(65_535, 100);
    flow.connected(65_535, true);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1 dup', 'PUBLISH 1 id 2 dup']);
    flow.acknowledge(acknowledgement('PUBACK', 1));
    expect(peer.lines()).toEqual(['settled 0 code 0', 'PUBLISH 2 id 3 dup']);
  });

  test('sums stay right over a lost session, a filtered queue and the end', () => {
    const { flow, peer } = flowOf(100, 60, 60, 5, 7);
    flow.disconnected();
    expect([flow.queuedBytes, flow.pendingBytes]).toEqual([12, 132]);
    flow.filterQueue(({ number }) => number !== 2);
    expect([flow.queuedBytes, flow.pendingBytes]).toEqual([7, 127]);
    peer.lines();
    flow.connected(65_535, false);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 3', 'PUBLISH 1 id 4']);
    expect([flow.queuedBytes, flow.pendingBytes]).toEqual([7, 127]);
    flow.clear();
    expect([flow.queuedBytes, flow.pendingBytes]).toEqual([0, 0]);
  });

  test('another one holds at once', () => {
    const { flow, peer } = flowOf(1, 10, 10, 10);
    expect(peer.lines()).toHaveLength(1);
    flow.limit(2, 1000);
    expect(peer.lines()).toHaveLength(1);
    flow.limit(3, 1000);
    expect(peer.lines()).toHaveLength(1);
  });
});
