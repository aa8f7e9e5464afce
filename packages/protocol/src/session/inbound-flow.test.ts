import { describe, expect, test } from 'vitest';
import { InboundFlow } from './inbound-flow.js';

describe('QoS 2, received', () => {
  test('a message is handed on once, when it is released', () => {
    const flow = new InboundFlow<string>();
    flow.keep(1, 'a');
    expect([flow.size, flow.get(1)]).toEqual([1, 'a']);
    expect([flow.release(1), flow.release(1)]).toEqual(['a', undefined]);
    expect([flow.size, flow.get(1)]).toEqual([0, undefined]);
  });

  test('a repeated PUBLISH makes no second message [MQTT-4.3.3-10] [MQTT311-4.3.3-2]', () => {
    const flow = new InboundFlow<string>();
    flow.keep(1, 'a');
    flow.keep(1, 'a again');
    expect([flow.size, flow.release(1), flow.release(1)]).toEqual([1, 'a again', undefined]);
  });

  test('after its release the Packet Identifier means a new message [MQTT-4.3.3-12] [MQTT311-4.3.3-2]', () => {
    const flow = new InboundFlow<string>();
    flow.keep(65_535, 'a');
    flow.release(65_535);
    flow.keep(65_535, 'b');
    expect(flow.release(65_535)).toBe('b');
  });

  test('messages are released in any order', () => {
    const flow = new InboundFlow<string>();
    for (const [packetId, message] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ] as const)
      flow.keep(packetId, message);
    expect([3, 1, 2].map((packetId) => flow.release(packetId))).toEqual(['c', 'a', 'b']);
  });

  test('PUBREL for what never came releases nothing', () => {
    const flow = new InboundFlow<string>();
    expect(flow.release(7)).toBeUndefined();
    flow.keep(1, 'a');
    expect([flow.release(7), flow.size]).toEqual([undefined, 1]);
  });

  test('nothing is left after clear()', () => {
    const flow = new InboundFlow<string>();
    flow.keep(1, 'a');
    flow.clear();
    expect([flow.size, flow.get(1), flow.release(1)]).toEqual([0, undefined, undefined]);
  });
});
