import { describe, expect, it } from 'vitest';
import { PINGREQ, type RawClient, subscribePacket, unsubscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { composeFrame, Message } from './message.js';
import type { RetainedReplay } from './retained-replay.js';

const TOPICS = 10_240;

function brokerWithTopics(): TestBroker {
  const broker = new TestBroker();
  for (let index = 0; index < TOPICS; index++) {
    const topic = `many/${index}`;
    const frame = composeFrame(topic, Buffer.from('x'), 0, true, [], 4);
    broker.engine.retained.publish(new Message(topic, frame, Number.POSITIVE_INFINITY), 0);
  }
  return broker;
}

/** Turns without a packet are nothing that a client could see and wait for. */
async function untilIdle(client: RawClient, replay: RetainedReplay): Promise<void> {
  while (replay.active) await client.settle();
}

describe('a SUBSCRIBE that goes over very many retained topics', () => {
  it('lets everybody else be served between two turns', async () => {
    const broker = brokerWithTopics();
    const [greedy, other] = [
      await broker.connect({ clientId: 'greedy' }),
      await broker.connect({ clientId: 'other' }),
    ];
    const { replay } = broker.engine.sessions.get('greedy')!;
    let whileBusy = 0;
    other.onPacket = () => {
      if (!replay.active) return;
      whileBusy++;
      // Later, as over a network: in memory the answer would come before the event loop has turned.
      setImmediate(() => other.write(PINGREQ));
    };
    greedy.write(subscribePacket({ '+/+/none': 0 }));
    other.write(PINGREQ);
    const answers = await other.take();
    // Each turn is one answer at least; how many turns there are is a matter of steps, not of time.
    expect(whileBusy).toBeGreaterThanOrEqual(TOPICS / 500);
    expect(answers).toHaveLength(whileBusy + 1);
    await untilIdle(greedy, replay);
    expect(await greedy.take()).toEqual(['SUBACK #1 0x00']);
  });

  it('shares its turns with the next one: a few topics are found while it looks on', async () => {
    const broker = brokerWithTopics();
    const [greedy, modest] = [
      await broker.connect({ clientId: 'greedy' }),
      await broker.connect({ clientId: 'modest' }),
    ];
    const { replay } = broker.engine.sessions.get('greedy')!;
    let greedyWasBusy = false;
    modest.onPacket = (packet) => {
      if (packet.type === 3) greedyWasBusy = replay.active;
    };
    greedy.write(subscribePacket({ '+/+/none': 0 }));
    expect(await modest.send(subscribePacket({ 'many/7': 0 }))).toEqual([
      'SUBACK #1 0x00',
      'PUBLISH many/7=x retain',
    ]);
    expect(greedyWasBusy).toBe(true);
  });

  it('reads no further than its output drains', async () => {
    const broker = brokerWithTopics();
    const greedy = await broker.connect({ clientId: 'greedy' });
    let lines = 0;
    let largest = 0;
    const connection = [...broker.engine.connections][0]!;
    greedy.onPacket = () => {
      lines++;
      largest = Math.max(largest, connection.backlog);
    };
    await greedy.send(subscribePacket({ '#': 0 }));
    expect(lines).toBe(TOPICS + 1);
    expect(largest).toBeLessThan(2 * 65_536);
  });

  it.each([
    ['UNSUBSCRIBE', unsubscribePacket(['+/+/none']), 'UNSUBACK #1'],
    ['the same SUBSCRIBE', subscribePacket({ '+/+/none': 0 }), 'SUBACK #1 0x00'],
  ])('%s in the middle leaves no more than one behind', async (_what, packet, answer) => {
    const broker = brokerWithTopics();
    const greedy = await broker.connect({ clientId: 'greedy' });
    const again = Array.from({ length: 20 }, () => packet);
    const { replay } = broker.engine.sessions.get('greedy')!;
    const start = replay.advance.bind(replay);
    let steps = 0;
    replay.advance = (most) => {
      const taken = start(most);
      steps += taken;
      return taken;
    };
    const answers = await greedy.send(subscribePacket({ '+/+/none': 0 }), ...again);
    await untilIdle(greedy, replay);
    expect(answers.slice(1)).toEqual(again.map(() => answer));
    expect(steps).toBeLessThan(3 * TOPICS);
  });

  it('ends with its session', async () => {
    const broker = brokerWithTopics();
    const greedy = await broker.connect({ clientId: 'greedy' });
    const { replay } = broker.engine.sessions.get('greedy')!;
    greedy.write(subscribePacket({ '+/+/none': 0 }));
    greedy.onPacket = () => greedy.socket.destroy();
    await greedy.take();
    expect(replay.active).toBe(false);
  });
});
