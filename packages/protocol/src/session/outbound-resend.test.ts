import { describe, expect, test } from 'vitest';
import { acknowledgement, Numbered, numbered, WrittenDown } from '../../test/outbound-peer.js';
import { OutboundFlow } from './outbound-flow.js';

function connectedFlow(window: number) {
  const peer = new WrittenDown();
  const flow = new OutboundFlow<Numbered>(peer);
  flow.connected(window, true);
  return { flow, peer };
}

/** Messages 0 to 5 of every kind: 0 unacknowledged, 1 released, 2 settled, 3 unacknowledged, 4 and 5 in the queue. */
function interrupted() {
  const { flow, peer } = connectedFlow(4);
  for (const message of numbered(1, 2, 1, 2)) flow.send(message);
  flow.acknowledge(acknowledgement('PUBREC', 2));
  flow.acknowledge(acknowledgement('PUBACK', 3));
  flow.disconnected();
  for (const message of [new Numbered(1, 4), new Numbered(2, 5)]) flow.send(message);
  peer.lines();
  return { flow, peer };
}

describe('with the session present', () => {
  test('all is sent again in its order: same identifiers, DUP 1, PUBREL for what was released [MQTT-4.4.0-1] [MQTT311-4.4.0-1] [MQTT-4.3.3-6]', () => {
    const { flow, peer } = interrupted();
    expect(flow.connected(20, true)).toBe(0);
    expect(peer.lines()).toEqual([
      'PUBLISH 0 id 1 dup',
      'PUBREL id 2',
      'PUBLISH 3 id 4 dup',
      'PUBLISH 4 id 5',
      'PUBLISH 5 id 6',
    ]);
    flow.acknowledge(acknowledgement('PUBCOMP', 2));
    flow.acknowledge(acknowledgement('PUBACK', 1));
    flow.acknowledge(acknowledgement('PUBREC', 4));
    flow.acknowledge(acknowledgement('PUBCOMP', 4));
    expect(peer.lines()).toEqual(['settled 1 code 0', 'settled 0 code 0', 'PUBREL id 4', 'settled 3 code 0']);
  });

  test('a smaller window lets it out bit by bit, old before new', () => {
    const { flow, peer } = connectedFlow(5);
    for (const message of numbered(1, 1, 1, 1, 1, 1)) flow.send(message);
    flow.disconnected();
    peer.lines();
    flow.connected(2, true);
    flow.send(new Numbered(1, 6));
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1 dup', 'PUBLISH 1 id 2 dup']);
    for (const id of [2, 1, 3, 4, 5, 6, 7]) flow.acknowledge(acknowledgement('PUBACK', id));
    expect(peer.lines().filter((line) => line.startsWith('PUBLISH'))).toEqual([
      'PUBLISH 2 id 3 dup',
      'PUBLISH 3 id 4 dup',
      'PUBLISH 4 id 5 dup',
      'PUBLISH 5 id 6',
      'PUBLISH 6 id 7',
    ]);
    expect(flow.pending).toBe(0);
  });

  test('PUBREL waits for no window [MQTT-3.3.4-8] [MQTT-3.3.4-10], and holds its place in it', () => {
    const { flow, peer } = connectedFlow(20);
    for (const message of numbered(1, 2, 1, 2, 2)) flow.send(message);
    for (const id of [2, 4, 5]) flow.acknowledge(acknowledgement('PUBREC', id));
    flow.disconnected();
    peer.lines();
    flow.connected(1, true);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1 dup', 'PUBREL id 2', 'PUBREL id 4', 'PUBREL id 5']);
    flow.acknowledge(acknowledgement('PUBACK', 1));
    flow.acknowledge(acknowledgement('PUBCOMP', 2));
    flow.acknowledge(acknowledgement('PUBCOMP', 4));
    expect(peer.lines()).toEqual(['settled 0 code 0', 'settled 1 code 0', 'settled 3 code 0']);
    flow.acknowledge(acknowledgement('PUBCOMP', 5));
    expect(peer.lines()).toEqual(['settled 4 code 0', 'PUBLISH 2 id 3 dup']);
  });

  test('what is acknowledged before its turn came is not sent again', () => {
    const { flow, peer } = connectedFlow(3);
    for (const message of numbered(1, 1, 1)) flow.send(message);
    flow.disconnected();
    peer.lines();
    flow.connected(1, true);
    flow.acknowledge(acknowledgement('PUBACK', 2));
    flow.acknowledge(acknowledgement('PUBACK', 1));
    expect(peer.lines()).toEqual([
      'PUBLISH 0 id 1 dup',
      'settled 1 code 0',
      'settled 0 code 0',
      'PUBLISH 2 id 3 dup',
    ]);
  });

  test('what a sink sends meanwhile comes behind all of it', () => {
    const order: number[] = [];
    let sends = false;
    const flow = new OutboundFlow<Numbered>({
      publish(message) {
        order.push(message.number);
        if (sends) flow.send(new Numbered(1, 9));
        sends = false;
        return true;
      },
      pubrel: () => {},
      settled: () => {},
    });
    flow.connected(20, true);
    for (const message of numbered(1, 2, 1)) flow.send(message);
    flow.disconnected();
    order.length = 0;
    sends = true;
    flow.connected(20, true);
    expect(order).toEqual([0, 1, 2, 9]);
  });

  test('several connections in a row send the same again, whatever the windows', () => {
    const { flow, peer } = interrupted();
    for (const window of [1, 3, 2, 20]) {
      flow.connected(window, true);
      flow.disconnected();
    }
    peer.lines();
    flow.connected(20, true);
    expect(peer.lines()).toEqual([
      'PUBLISH 0 id 1 dup',
      'PUBREL id 2',
      'PUBLISH 3 id 4 dup',
      'PUBLISH 4 id 5 dup',
      'PUBLISH 5 id 6 dup',
    ]);
  });

  test('a new connection without a word about the end of the old one is the same (a session taken over)', () => {
    const { flow, peer } = connectedFlow(2);
    for (const message of numbered(1, 1, 1)) flow.send(message);
    peer.lines();
    flow.connected(2, true);
    expect(peer.lines()).toEqual(['PUBLISH 0 id 1 dup', 'PUBLISH 1 id 2 dup']);
    for (const id of [1, 2]) flow.acknowledge(acknowledgement('PUBACK', id));
    expect(peer.lines()).toEqual(['settled 0 code 0', 'PUBLISH 2 id 3', 'settled 1 code 0']);
  });

  test('the order is that of first sending, across 65535 -> 1 and with a straggler of several rounds', () => {
    const { flow, peer } = connectedFlow(6);
    const straggler = new Numbered(1, -1);
    flow.send(straggler);
    const messages: Numbered[] = [];
    // Three rounds through all identifiers, to stand shortly before their end.
    let rounds = 0;
    for (let number = 0, last = 1; rounds < 3 || last < 65_533; number++) {
      const message = new Numbered(1, number);
      flow.send(message);
      flow.acknowledge(acknowledgement('PUBACK', message.packetId));
      if (message.packetId < last) rounds++;
      last = message.packetId;
    }
    expect(flow.inFlight).toBe(1);
    for (let number = 0; number < 8; number++) {
      messages.push(new Numbered(number % 2 === 0 ? 1 : 2, number));
      flow.send(messages[number]!);
    }
    const ids = messages.slice(0, 5).map((message) => message.packetId);
    expect(ids[0]).toBeGreaterThan(65_530);
    expect(ids[4]).toBeLessThan(10);
    flow.disconnected();
    peer.lines();
    flow.connected(20, true);
    expect(peer.lines().slice(0, 6)).toEqual([
      'PUBLISH -1 id 1 dup',
      ...ids.map((id, number) => `PUBLISH ${number} id ${id} dup`),
    ]);
  });
});

describe('without the session', () => {
  test('all is new, in its order: new identifiers, DUP 0, from the first step on (cli P-25)', () => {
    const { flow, peer } = interrupted();
    expect(flow.connected(20, false)).toBe(3);
    expect(peer.lines()).toEqual([
      'PUBLISH 0 id 5',
      'PUBLISH 1 id 6',
      'PUBLISH 3 id 7',
      'PUBLISH 4 id 8',
      'PUBLISH 5 id 9',
    ]);
    flow.acknowledge(acknowledgement('PUBREC', 6));
    flow.acknowledge(acknowledgement('PUBCOMP', 6));
    expect(peer.lines()).toEqual(['PUBREL id 6', 'settled 1 code 0']);
  });

  test('an acknowledgement for an old identifier settles nothing', () => {
    const { flow, peer } = interrupted();
    flow.connected(20, false);
    peer.lines();
    flow.acknowledge(acknowledgement('PUBACK', 1));
    flow.acknowledge(acknowledgement('PUBCOMP', 2));
    expect([peer.lines(), flow.pending]).toEqual([[], 5]);
  });

  test('a smaller window keeps the order', () => {
    const { flow, peer } = interrupted();
    flow.connected(2, false);
    expect([flow.inFlight, flow.queued]).toEqual([2, 3]);
    flow.disconnected();
    flow.connected(1, true);
    flow.disconnected();
    peer.lines();
    expect(flow.connected(20, false)).toBe(2);
    expect(peer.lines().map((line) => line.split(' ')[1])).toEqual(['0', '1', '3', '4', '5']);
  });

  test('only what may have arrived counts as doubtful', () => {
    const { flow } = connectedFlow(2);
    for (const message of numbered(1, 1, 1)) flow.send(message);
    flow.acknowledge(acknowledgement('PUBACK', 1));
    flow.disconnected();
    expect(flow.connected(1, false)).toBe(2);
    flow.disconnected();
    expect(flow.connected(20, false)).toBe(1);
  });
});
