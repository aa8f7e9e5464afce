import { describe, expect, test } from 'vitest';
import { LossyConnection, type WalkOptions } from '../../test/lossy-connection.js';

const usual: WalkOptions = {
  seed: 1,
  steps: 50_000,
  windows: [1, 2, 20, 65_535],
  chanceOfCut: 0.003,
  chanceOfLostSession: 0,
  chanceOfRefusal: 0.02,
  acknowledgesInOrder: true,
};

/** Walks and checks what must be true at the end; what must be true all the time is checked on the way. */
function walk(options: WalkOptions): LossyConnection {
  const world = new LossyConnection(options);
  world.walk();
  const { flow, sent, settled, delivered, refused, doubtful } = world;
  expect([flow.inFlight, flow.queued, flow.pending]).toEqual([0, 0, 0]);
  expect(sent.filter(({ number }) => settled[number] !== 1)).toEqual([]);
  expect(sent.filter(({ number }) => (delivered[number] === undefined) !== refused.has(number))).toEqual([]);
  const twice = sent.filter(
    ({ number, qos }) => qos === 2 && !doubtful.has(number) && delivered[number]! > 1,
  );
  expect(twice).toEqual([]);
  return world;
}

describe('over connections that break at any moment, each message arrives, QoS 2 once, in order', () => {
  test.each([1, 2, 3, 4, 5])('with the session present, seed %i', (seed) => {
    const world = walk({ ...usual, seed });
    expect(world.connections).toBeGreaterThan(50);
    expect(world.refused.size).toBeGreaterThan(10);
    // The walk is worth something only if connections broke when it hurt.
    expect(
      world.sent.filter(({ number, qos }) => qos === 1 && world.delivered[number]! > 1).length,
    ).toBeGreaterThan(10);
  });

  test.each([6, 7, 8])('with a window of 1, seed %i', (seed) => {
    expect(walk({ ...usual, seed, windows: [1] }).mostInFlight).toBe(1);
  });

  test.each([9, 10, 11])('with sessions that are lost, seed %i', (seed) => {
    const world = walk({ ...usual, seed, chanceOfLostSession: 0.3 });
    expect(world.doubtful.size).toBeGreaterThan(50);
  });

  test.each([12, 13, 14])('with acknowledgements in any order, seed %i', (seed) => {
    walk({ ...usual, seed, acknowledgesInOrder: false, chanceOfLostSession: 0.05 });
  });

  test('through all Packet Identifiers more than twice, with stragglers', () => {
    const world = walk({
      ...usual,
      seed: 15,
      steps: 800_000,
      windows: [20, 100],
      chanceOfCut: 0.000_05,
      chanceOfRefusal: 0,
      acknowledgesInOrder: false,
    });
    expect(world.rounds).toBeGreaterThanOrEqual(2);
    expect(world.mostInFlight).toBe(100);
  });
});
