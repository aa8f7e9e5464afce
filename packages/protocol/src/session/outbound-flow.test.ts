import { describe, expect, test } from 'vitest';
import { acknowledgement, Numbered, numbered, WrittenDown } from '../../test/outbound-peer.js';
import { OutboundFlow } from './outbound-flow.js';

function connectedFlow(window: number) {
  const peer = new WrittenDown();
  const flow = new OutboundFlow<Numbered>(peer);
  flow.connected(window, true);
  return { flow, peer };
}

describe('sending', () => {
  test('goes out at once, in order, with Packet Identifiers from 1', () => {
    const { flow, peer } = connectedFlow(20);
    for (const message of numbered(1, 2, 1)) flow.send(message);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1', 'PUBLISH 1 id 2', 'PUBLISH 2 id 3']);
    expect([flow.inFlight, flow.queued, flow.pending]).toEqual([3, 0, 3]);
  });

  test.each([1, 20, 65_535])('a window of %i is filled and not exceeded [MQTT-4.9.0-2]', (window) => {
    const { flow, peer } = connectedFlow(window);
    for (let number = 0; number < window + 3; number++) flow.send(new Numbered(1, number));
    expect(peer.lines()).toHaveLength(window);
    expect([flow.inFlight, flow.queued, flow.pending]).toEqual([window, 3, window + 3]);
    flow.acknowledge(acknowledgement('PUBACK', 1));
    // The identifier that was given back is used last.
    expect(peer.lines()).toEqual(['settled 0 code 0', `PUBLISH ${window} id ${(window % 65_535) + 1}`]);
    for (let id = 2; id <= window; id++) flow.acknowledge(acknowledgement('PUBACK', id));
    const lines = peer.lines();
    const published = lines.filter((line) => line.startsWith('PUBLISH'));
    expect(published.map((line) => line.split(' ')[1])).toEqual(
      [window + 1, window + 2].slice(0, window - 1).map(String),
    );
  });

  test.each([
    ['first to last', [1, 2, 3, 4, 5]],
    ['last to first', [5, 4, 3, 2, 1]],
    ['in a mess', [3, 1, 5, 2, 4]],
  ])('acknowledgements may come %s', (_order, ids) => {
    const { flow, peer } = connectedFlow(5);
    for (const message of numbered(1, 1, 1, 1, 1)) flow.send(message);
    peer.lines();
    for (const id of ids) flow.acknowledge(acknowledgement('PUBACK', id));
    expect(peer.lines()).toEqual(ids.map((id) => `settled ${id - 1} code 0`));
    expect(flow.pending).toBe(0);
  });

  test('a place in the window is free again after PUBACK, PUBCOMP and a refusing PUBREC, not after PUBREC', () => {
    const { flow, peer } = connectedFlow(2);
    for (const message of numbered(2, 1, 2, 1, 1)) flow.send(message);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1', 'PUBLISH 1 id 2']);
    flow.acknowledge(acknowledgement('PUBREC', 1));
    expect(peer.lines()).toEqual(['PUBREL id 1']);
    flow.acknowledge(acknowledgement('PUBACK', 2));
    expect(peer.lines()).toEqual(['settled 1 code 0', 'PUBLISH 2 id 3']);
    flow.acknowledge(acknowledgement('PUBREC', 3, 0x97));
    expect(peer.lines()).toEqual(['settled 2 code 151', 'PUBLISH 3 id 4']);
    flow.acknowledge(acknowledgement('PUBCOMP', 1));
    expect(peer.lines()).toEqual(['settled 0 code 0', 'PUBLISH 4 id 5']);
  });

  test('a refused QoS 2 message is never released', () => {
    const { flow, peer } = connectedFlow(20);
    flow.send(new Numbered(2, 0));
    flow.acknowledge(acknowledgement('PUBREC', 1, 0x80));
    flow.acknowledge(acknowledgement('PUBCOMP', 1));
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1', 'settled 0 code 128']);
    expect(flow.pending).toBe(0);
  });

  test('what is sent while others wait waits behind them', () => {
    const { flow, peer } = connectedFlow(1);
    for (const message of numbered(1, 2, 1)) flow.send(message);
    flow.acknowledge(acknowledgement('PUBACK', 1));
    flow.send(new Numbered(1, 3));
    flow.acknowledge(acknowledgement('PUBREC', 2));
    flow.acknowledge(acknowledgement('PUBCOMP', 2));
    flow.acknowledge(acknowledgement('PUBACK', 3));
    const published = peer.lines().filter((line) => line.startsWith('PUBLISH'));
    expect(published).toEqual(['PUBLISH 0 id 1', 'PUBLISH 1 id 2', 'PUBLISH 2 id 3', 'PUBLISH 3 id 4']);
  });

  test('waits for the connection', () => {
    const peer = new WrittenDown();
    const flow = new OutboundFlow<Numbered>(peer);
    for (const message of numbered(1, 2)) flow.send(message);
    flow.pump();
    expect([peer.lines(), flow.queued, flow.inFlight]).toEqual([[], 2, 0]);
    expect(flow.connected(20, false)).toBe(0);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1', 'PUBLISH 1 id 2']);
  });
});

describe('a sink that calls back', () => {
  test('may send from settled(); what waits goes first', () => {
    const peer = new WrittenDown();
    const flow = new OutboundFlow<Numbered>({
      publish: (message, packetId, dup) => peer.publish(message, packetId, dup),
      pubrel: (packetId) => peer.pubrel(packetId),
      settled(message) {
        if (message.number === 0) flow.send(new Numbered(1, 9));
      },
    });
    flow.connected(1, true);
    for (const message of numbered(1, 1)) flow.send(message);
    for (const id of [1, 2]) flow.acknowledge(acknowledgement('PUBACK', id));
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1', 'PUBLISH 1 id 2', 'PUBLISH 9 id 3']);
  });

  test.each(['PUBLISH', 'PUBREL'] as const)('hears nothing more when the connection ends during %s', (at) => {
    const asked: string[] = [];
    let cut = false;
    const flow = new OutboundFlow<Numbered>({
      publish(message) {
        asked.push(`PUBLISH ${message.number}`);
        if (cut && at === 'PUBLISH') flow.disconnected();
        return true;
      },
      pubrel(packetId) {
        asked.push(`PUBREL ${packetId}`);
        if (cut && at === 'PUBREL') flow.disconnected();
      },
      settled: () => {},
    });
    flow.connected(20, true);
    const [first, second, ...rest] = numbered(at === 'PUBLISH' ? 1 : 2, 2, 1, 1);
    for (const message of [first!, second!]) flow.send(message);
    for (const id of [1, 2]) if (at === 'PUBREL') flow.acknowledge(acknowledgement('PUBREC', id));
    flow.disconnected();
    for (const message of rest) flow.send(message);
    asked.length = 0;
    cut = true;
    flow.connected(20, true);
    expect(asked).toEqual([at === 'PUBLISH' ? 'PUBLISH 0' : 'PUBREL 1']);
    expect([flow.inFlight, flow.queued]).toEqual([2, 2]);

    // The first of those that wait fails in the same way.
    cut = false;
    flow.connected(2, true);
    for (const id of [1, 2]) {
      if (at === 'PUBLISH' && id === 1) flow.acknowledge(acknowledgement('PUBACK', 1));
      else {
        flow.acknowledge(acknowledgement('PUBREC', id));
        flow.acknowledge(acknowledgement('PUBCOMP', id));
      }
    }
    expect([flow.inFlight, flow.queued]).toEqual([2, 0]);
  });

  test('hears nothing while there is no connection', () => {
    const { flow, peer } = connectedFlow(1);
    for (const message of numbered(2, 1)) flow.send(message);
    flow.disconnected();
    peer.lines();
    flow.acknowledge(acknowledgement('PUBREC', 1));
    expect(peer.lines()).toEqual([]);
    flow.connected(1, true);
    expect(peer.lines()).toEqual(['PUBREL id 1']);
  });
});

describe('a message that cannot be sent after all', () => {
  /** Takes odd messages only, and of those that were sent before none. */
  function choosyFlow() {
    const asked: string[] = [];
    const flow = new OutboundFlow<Numbered>({
      publish(message, packetId, dup) {
        asked.push(`${message.number} id ${packetId}`);
        return message.number % 2 === 1 && !dup;
      },
      pubrel: () => {},
      settled: (message) => asked.push(`settled ${message.number}`),
    });
    return { flow, asked };
  }

  test('takes no place in the window and no Packet Identifier [MQTT-3.1.2-25]', () => {
    const { flow, asked } = choosyFlow();
    flow.connected(1, true);
    for (const message of numbered(1, 2, 1, 1)) flow.send(message);
    expect(asked).toEqual(['0 id 1', '1 id 2']);
    expect([flow.inFlight, flow.queued]).toEqual([1, 2]);
    flow.acknowledge(acknowledgement('PUBREC', 2));
    flow.acknowledge(acknowledgement('PUBCOMP', 2));
    expect(asked.slice(2)).toEqual(['settled 1', '2 id 3', '3 id 4']);
    flow.acknowledge(acknowledgement('PUBACK', 4));
    expect([asked.at(-1), flow.pending]).toEqual(['settled 3', 0]);
  });

  test('may be one of those that are sent again', () => {
    const { flow, asked } = choosyFlow();
    flow.connected(20, true);
    for (const message of numbered(1, 1, 1, 1)) flow.send(message);
    flow.disconnected();
    asked.length = 0;
    flow.connected(1, true);
    expect(asked).toEqual(['1 id 2', '3 id 4']);
    expect(flow.pending).toBe(0);
  });

  test('may have ended the connection', () => {
    let ends = true;
    const asked: number[] = [];
    const flow = new OutboundFlow<Numbered>({
      publish(message) {
        asked.push(message.number);
        if (ends) flow.disconnected();
        return !ends;
      },
      pubrel: () => {},
      settled: () => {},
    });
    flow.connected(2, true);
    for (const message of numbered(1, 1, 1, 1, 1)) flow.send(message);
    ends = false;
    flow.connected(2, true);
    expect(asked).toEqual([0, 1, 2]);
    expect([flow.inFlight, flow.queued]).toEqual([2, 2]);
  });
});

describe('Packet Identifiers of SUBSCRIBE and UNSUBSCRIBE', () => {
  test('are of the same sequence, and nobody else gets them until they are free [MQTT-2.2.1-3]', () => {
    const { flow, peer } = connectedFlow(20);
    /** The identifiers of so many messages, each acknowledged before the next. */
    const used = (count: number): Set<number> => {
      const ids = new Set<number>();
      for (let number = 0; number < count; number++) {
        const message = new Numbered(1, number);
        flow.send(message);
        ids.add(message.packetId);
        flow.acknowledge(acknowledgement('PUBACK', message.packetId));
      }
      return ids;
    };
    expect(used(1)).toEqual(new Set([1]));
    expect([flow.reservePacketId(), flow.reservePacketId()]).toEqual([2, 3]);
    const first = used(65_533);
    expect([first.size, first.has(2), first.has(3)]).toEqual([65_533, false, false]);
    flow.freePacketId(3);
    const second = used(65_534);
    expect([second.size, second.has(2), second.has(3)]).toEqual([65_534, false, true]);
    expect(flow.pending).toBe(0);
    peer.lines();
  });

  test('are none when all are in use', () => {
    const flow = new OutboundFlow<Numbered>(new WrittenDown());
    const ids = new Set(Array.from({ length: 65_535 }, () => flow.reservePacketId()));
    expect(ids.size).toBe(65_535);
    expect(ids.has(0)).toBe(false);
    expect(() => flow.reservePacketId()).toThrow(RangeError);
    flow.freePacketId(777);
    expect(flow.reservePacketId()).toBe(777);
  });
});

describe('giving up', () => {
  test('clear() returns what is not settled, oldest first', () => {
    const { flow, peer } = connectedFlow(2);
    for (const message of numbered(1, 2, 1, 1)) flow.send(message);
    flow.acknowledge(acknowledgement('PUBACK', 1));
    flow.acknowledge(acknowledgement('PUBREC', 2));
    peer.lines();
    expect(flow.clear().map((message) => message.number)).toEqual([1, 2, 3]);
    expect([flow.inFlight, flow.queued, flow.pending]).toEqual([0, 0, 0]);
    flow.connected(20, true);
    expect(peer.lines()).toEqual([]);
  });

  test('filterQueue() takes out what waits, and nothing else', () => {
    const { flow, peer } = connectedFlow(1);
    for (const message of numbered(1, 1, 1, 1, 1)) flow.send(message);
    flow.filterQueue((message) => message.number % 2 === 0);
    expect([flow.inFlight, flow.queued]).toEqual([1, 2]);
    for (const id of [1, 2, 3]) flow.acknowledge(acknowledgement('PUBACK', id));
    const published = peer.lines().filter((line) => line.startsWith('PUBLISH'));
    expect(published).toEqual(['PUBLISH 0 id 1', 'PUBLISH 2 id 2', 'PUBLISH 4 id 3']);
  });
});
