import { describe, expect, test } from 'vitest';
import { acknowledgement, Numbered, WrittenDown } from '../../test/outbound-peer.js';
import { OutboundFlow } from './outbound-flow.js';

interface Saved {
  readonly qos: 1 | 2;
  readonly packetId: number;
  readonly released?: boolean;
}

function restored(saved: readonly Saved[]) {
  const peer = new WrittenDown();
  const flow = new OutboundFlow<Numbered>(peer);
  for (const [number, { qos, packetId, released = false }] of saved.entries()) {
    flow.restore(new Numbered(qos, number), packetId, released);
  }
  return { flow, peer };
}

describe('what an earlier process had', () => {
  test('goes on where it was: same identifiers, DUP 1, PUBREL after PUBREC, then what waited [MQTT-4.4.0-1]', () => {
    const { flow, peer } = restored([
      { qos: 1, packetId: 65_535 },
      { qos: 2, packetId: 1, released: true },
      { qos: 2, packetId: 17 },
      { qos: 1, packetId: 0 },
      { qos: 2, packetId: 0 },
    ]);
    expect([flow.inFlight, flow.queued]).toEqual([3, 2]);
    expect(peer.lines()).toEqual([]);
    flow.connected(20, true);
    expect(peer.lines()).toEqual([
      'PUBLISH 0 id 65535 dup',
      'PUBREL id 1',
      'PUBLISH 2 id 17 dup',
      'PUBLISH 3 id 18',
      'PUBLISH 4 id 19',
    ]);
    for (const [type, packetId] of [
      ['PUBACK', 65_535],
      ['PUBCOMP', 1],
      ['PUBREC', 17],
      ['PUBCOMP', 17],
      ['PUBACK', 18],
    ] as const) {
      flow.acknowledge(acknowledgement(type, packetId));
    }
    expect(peer.lines()).toEqual([
      'settled 0 code 0',
      'settled 1 code 0',
      'PUBREL id 17',
      'settled 2 code 0',
      'settled 3 code 0',
    ]);
  });

  test('holds the window: what is sent again comes before what waited [MQTT-3.3.4-9]', () => {
    const { flow, peer } = restored([
      { qos: 1, packetId: 7 },
      { qos: 1, packetId: 8 },
      { qos: 1, packetId: 0 },
    ]);
    flow.connected(1, true);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 7 dup']);
    flow.acknowledge(acknowledgement('PUBACK', 7));
    flow.acknowledge(acknowledgement('PUBACK', 8));
    expect(peer.lines()).toEqual([
      'settled 0 code 0',
      'PUBLISH 1 id 8 dup',
      'settled 1 code 0',
      'PUBLISH 2 id 9',
    ]);
  });

  test('may have any identifiers, however they share low bits', () => {
    const ids = [1, 17, 33, 65, 129, 257, 513, 1025, 32_769];
    const { flow, peer } = restored(ids.map((packetId) => ({ qos: 1, packetId })));
    flow.connected(20, true);
    expect(peer.lines()).toEqual(ids.map((packetId, number) => `PUBLISH ${number} id ${packetId} dup`));
  });

  test('has no identifier twice', () => {
    const { flow } = restored([{ qos: 1, packetId: 5 }]);
    expect(() => flow.restore(new Numbered(1, 1), 5, false)).toThrow('Packet Identifier 5 is in use');
  });
});
