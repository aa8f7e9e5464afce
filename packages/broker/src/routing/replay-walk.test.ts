import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brokerWith, DeferredStore } from '../../test/deferred-store.js';
import {
  acknowledgement,
  connectPacket,
  type Outgoing,
  publishPacket,
  type RawClient,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const TOPICS = 8;
const WINDOW = 2;
const FIELDS = connectPacket({
  protocolVersion: 5,
  cleanStart: false,
  properties: [
    { name: 'sessionExpiryInterval', value: 1000 },
    { name: 'receiveMaximum', value: WINDOW },
  ],
});

const topic = fc.nat(TOPICS - 1).map((index) => `r/${index}`);
const filter = fc.constantFrom('r/+', '#', 'r/1');
const step = fc.oneof(
  fc.record({ act: fc.constant('publish' as const), topic, retain: fc.boolean() }),
  { arbitrary: fc.record({ act: fc.constant('acknowledge' as const) }), weight: 4 },
  fc.record({ act: fc.constant('subscribe' as const), filter }),
  fc.record({ act: fc.constant('unsubscribe' as const), filter }),
  fc.record({ act: fc.constantFrom('vanish' as const, 'connect' as const) }),
);

/** A client that takes as little as it may: what it got, in order, repetitions aside. */
class Reluctant {
  readonly got: { topic: string; number: number; retain: boolean; known: number }[] = [];
  /** The last number that was published when it subscribed last. */
  known = 0;
  #client: RawClient | undefined;
  #unacknowledged: number[] = [];

  constructor(readonly broker: TestBroker) {}

  connect(): void {
    const client = this.broker.open(5);
    if (this.#client !== undefined) this.#client.onPacket = () => {};
    this.#client = client;
    this.#unacknowledged = [];
    client.onPacket = (packet) => {
      if (packet.type !== 3) return;
      this.#unacknowledged.push(packet.packetId);
      const { topic, payload, retain, dup } = packet;
      if (!dup) this.got.push({ topic, number: Number(payload), retain, known: this.known });
    };
    client.write(FIELDS);
  }

  write(...packets: readonly Outgoing[]): void {
    this.#client?.write(...packets);
  }

  async vanish(): Promise<void> {
    await this.#client?.vanish();
    this.#client = undefined;
  }

  acknowledge(): boolean {
    const packetId = this.#unacknowledged.shift();
    if (packetId === undefined) return false;
    this.write(acknowledgement('PUBACK', packetId));
    return true;
  }
}

describe('whatever a client does in the middle of its retained messages (0021)', () => {
  it.each(['no store', 'a store'])(
    'with %s it gets nothing retained behind what was published since it subscribed, the newest in the end, and nothing is left',
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
          const store = new DeferredStore();
          const broker = kind === 'a store' ? await brokerWith(store) : new TestBroker();
          const other = await broker.connect({ clientId: 'other', protocolVersion: 5 });
          const newest = new Map<string, number>();
          let number = 0;
          const publish = (to: string, retain: boolean): void => {
            number++;
            newest.set(to, number);
            other.write(publishPacket(to, String(number), { retain, qos: 1, packetId: number }));
          };
          for (let index = 0; index < TOPICS; index++) publish(`r/${index}`, true);
          await broker.settle();
          const client = new Reluctant(broker);
          client.connect();
          await broker.settle();
          const subscribe = (to: string): void => {
            client.known = number;
            client.write(subscribePacket({ [to]: 1 }));
          };
          for (const next of steps) {
            if (next.act === 'publish') publish(next.topic, next.retain);
            else if (next.act === 'acknowledge') client.acknowledge();
            else if (next.act === 'subscribe') subscribe(next.filter);
            else if (next.act === 'unsubscribe') client.write(unsubscribePacket([next.filter]));
            else if (next.act === 'connect') client.connect();
            else await client.vanish();
            await broker.settle();
          }
          client.connect();
          await broker.settle();
          subscribe('r/+');
          await broker.settle();
          for (let index = 0; index < TOPICS; index++) publish(`r/${index}`, index % 2 === 0);
          await broker.settle();
          while (client.acknowledge()) await broker.settle();

          const live = new Map<string, number>();
          const last = new Map<string, number>();
          for (const { topic, number, retain, known } of client.got) {
            const before = live.get(topic) ?? 0;
            // It may go back where it subscribed after that one, and no further.
            if (number < before)
              expect([topic, number, retain, before <= known]).toEqual([topic, number, true, true]);
            if (!retain) live.set(topic, number);
            last.set(topic, number);
          }
          expect(last).toEqual(newest);
          const { behind, outbound, replay } = broker.engine.sessions.get('client')!;
          expect([behind, outbound.pending, replay.active]).toEqual([undefined, 0, false]);
          expect([broker.engine.counters.dropped, broker.engine.blockedSessions.size]).toEqual([0, 0]);
          expect(store.saved('delivery')).toEqual([]);
        }),
        { numRuns: 150 },
      );
    },
  );
});
