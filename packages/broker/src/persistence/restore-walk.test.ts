import type { Property, QoS } from '@tsmqtt/protocol';
import { expect, it } from 'vitest';
import { brokerWith, DeferredStore } from '../../test/deferred-store.js';
import { Random } from '../../test/random.js';
import {
  acknowledgement,
  disconnectPacket,
  publishPacket,
  type RawClient,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import type { TestBroker } from '../../test/test-broker.js';
import type { StoredEntry } from './store.js';

/**
 * Sessions in a random walk over a broker with a store. Now and then the process is killed: what is in the store then
 * goes to a second broker, and every client has to find there what it would have found in the first.
 */

const TOPICS = ['a', 'a/b', 'c', 'd/e/f'];
const FILTERS = ['a', 'a/#', '#', '+', 'c', 'd/+/f', '$share/g/s', '$share/h/s'];
const SETTINGS = { queueQos0Messages: true };
/** Packet Identifiers that clients use from 1 on. */
const PACKET_IDS = 20;
const SECONDS = [40, 1000, 4_294_967_295];

interface Life {
  readonly store: DeferredStore;
  readonly broker: TestBroker;
  readonly clients: Map<string, RawClient>;
}

async function live(entries: readonly StoredEntry[], now?: number): Promise<Life> {
  const store = new DeferredStore();
  await store.memory.commit(new Map(entries));
  const options = now === undefined ? { settings: SETTINGS } : { settings: SETTINGS, now };
  return { store, broker: await brokerWith(store, options), clients: new Map() };
}

/** What a client would answer to what it got, in order. */
function answersTo(lines: readonly string[]): ReturnType<typeof acknowledgement>[] {
  return lines.flatMap((line) => {
    const packetId = Number(/ #(\d+)/.exec(line)?.[1]);
    if (/^PUBLISH .* q1 /.test(line)) return [acknowledgement('PUBACK', packetId)];
    if (/^PUBLISH .* q2 /.test(line)) return [acknowledgement('PUBREC', packetId)];
    return line.startsWith('PUBREL') ? [acknowledgement('PUBCOMP', packetId)] : [];
  });
}

/** A first sending has the next free Packet Identifier, which a restart may change. */
const comparable = (lines: readonly string[]): string[] =>
  lines.map((line) => (/^PUBLISH /.test(line) && !/ dup/.test(line) ? line.replace(/ #\d+/, '') : line));

class Walk {
  readonly #random: Random;
  readonly #ids = ['one', 'two', 'three', 'four'];
  /** Answers that a client has not given yet. */
  readonly #owed = new Map<string, ReturnType<typeof acknowledgement>[]>();
  /** QoS 2 messages that a client has not released. */
  readonly #unreleased = new Map<string, Set<number>>();
  #serial = 0;
  compared = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  async run(steps: number): Promise<void> {
    let life = await live([]);
    for (let step = 0; step < steps; step++) {
      await this.#step(life);
      if (this.#random.once(15)) life = await this.#kill(life);
    }
  }

  async #step(life: Life): Promise<void> {
    const random = this.#random;
    const id = random.pick(this.#ids);
    const client = life.clients.get(id);
    if (client === undefined) await this.#connect(life, id, random.once(12));
    else if (random.once(8)) await this.#leave(life, id, client);
    else if (random.once(4)) await this.#subscribe(client);
    else if (random.once(3)) await this.#acknowledge(id, client);
    else if (random.once(6)) await life.broker.pass(random.below(20));
    else await this.#publish(id, client);
    await this.#collect(life);
  }

  async #connect(life: Life, id: string, cleanStart: boolean): Promise<RawClient> {
    const properties: Property[] = [{ name: 'sessionExpiryInterval', value: this.#random.pick(SECONDS) }];
    if (this.#random.once(2)) properties.push({ name: 'receiveMaximum', value: 1 + this.#random.below(4) });
    return this.#attach(life, id, cleanStart, properties);
  }

  async #attach(
    life: Life,
    id: string,
    cleanStart: boolean,
    properties: readonly Property[],
  ): Promise<RawClient> {
    const version = id === 'one' ? 4 : 5;
    const client = await life.broker.attempt({
      clientId: id,
      protocolVersion: version,
      cleanStart: cleanStart && version === 5,
      properties: version === 5 ? properties : [],
    });
    if (cleanStart && version === 5) this.#unreleased.delete(id);
    this.#owed.delete(id);
    life.clients.set(id, client);
    return client;
  }

  async #leave(life: Life, id: string, client: RawClient): Promise<void> {
    life.clients.delete(id);
    this.#owed.delete(id);
    if (this.#random.once(2)) await client.send(disconnectPacket());
    await client.vanish();
  }

  async #subscribe(client: RawClient): Promise<void> {
    const random = this.#random;
    const filter = random.pick(FILTERS);
    if (random.once(3)) client.write(unsubscribePacket([filter], 1));
    else {
      const options = {
        qos: random.below(3) as QoS,
        noLocal: client.version === 5 && random.once(3) && !filter.startsWith('$share'),
        retainAsPublished: client.version === 5 && random.once(2),
      };
      const properties: Property[] = [{ name: 'subscriptionIdentifier', value: 1 + random.below(1000) }];
      client.write(subscribePacket({ [filter]: options }, 2, client.version === 5 ? properties : []));
    }
  }

  async #acknowledge(id: string, client: RawClient): Promise<void> {
    const owed = this.#owed.get(id) ?? [];
    // In any order: packets overtake nothing, but a client may take its time with some.
    for (let count = this.#random.below(owed.length + 1); count > 0; count--) {
      const [answer] = owed.splice(this.#random.below(owed.length), 1);
      if (answer !== undefined) client.write(answer);
    }
    const unreleased = this.#unreleased.get(id) ?? new Set();
    for (const packetId of unreleased) {
      if (!this.#random.once(2)) continue;
      unreleased.delete(packetId);
      client.write(acknowledgement('PUBREL', packetId));
    }
  }

  async #publish(id: string, client: RawClient): Promise<void> {
    const random = this.#random;
    const qos = random.below(3) as QoS;
    const retain = random.once(3);
    const payload = retain && random.once(3) ? '' : String(++this.#serial);
    const properties: Property[] = random.once(4)
      ? [{ name: 'messageExpiryInterval', value: 1 + random.below(60) }]
      : [];
    const packetId = qos === 0 ? 0 : 1 + random.below(PACKET_IDS);
    if (qos === 2) {
      const unreleased = this.#unreleased.get(id) ?? new Set();
      // The same identifier with other content would be another message; with the same, a repetition.
      if (unreleased.has(packetId)) return;
      this.#unreleased.set(id, unreleased.add(packetId));
    }
    // Whose turn it is in a group is not saved: nothing that is delivered after the restart goes to one.
    const topic = qos < 2 && random.once(8) ? 's' : random.pick(TOPICS);
    client.write(
      publishPacket(topic, payload, {
        qos,
        retain: retain && topic !== 's',
        packetId,
        properties: client.version === 5 ? properties : [],
      }),
    );
  }

  /** Lets everybody read. */
  async #collect(life: Life): Promise<void> {
    await life.broker.settle();
    for (const [id, client] of life.clients) {
      const owed = this.#owed.get(id) ?? [];
      owed.push(...answersTo(await client.take()));
      this.#owed.set(id, owed);
    }
  }

  /** Kills the process, and shows that the next one is no different from one that has only lost all connections. */
  async #kill(first: Life): Promise<Life> {
    // What is left of retained messages may come twice after a restart: no comparison then.
    if ([...first.broker.engine.sessions.values()].some(({ replay }) => replay.active)) return first;
    const entries = first.store.restore();
    for (const client of first.clients.values()) await client.vanish();
    first.clients.clear();
    const second = await live(entries, first.broker.engine.clock.now());
    expect(second.store.memory.size).toBeLessThanOrEqual(entries.length);
    // Some sessions expire before their clients come back.
    const seconds = this.#random.pick([0, 0, 39, 45, 1001]);
    for (const life of [first, second]) await life.broker.pass(seconds, 3);
    const known = ({ broker }: Life) =>
      [...broker.engine.sessions.values()].map(({ clientId }) => clientId).sort();
    expect(known(second)).toEqual(known(first));
    for (const id of this.#ids) {
      const properties: Property[] = [{ name: 'sessionExpiryInterval', value: this.#random.pick(SECONDS) }];
      await this.#same(first, second, id, (life) => this.#attach(life, id, false, properties));
    }
    await this.#probe(first, second);
    this.compared++;
    return second;
  }

  /** Does the same to both brokers and compares all that this client gets until it owes nothing. */
  async #same(first: Life, second: Life, id: string, act: (life: Life) => Promise<unknown>): Promise<void> {
    const [expected, found] = [await this.#drain(first, id, act), await this.#drain(second, id, act)];
    expect(found).toEqual(expected);
  }

  async #drain(life: Life, id: string, act: (life: Life) => Promise<unknown>): Promise<string[]> {
    await act(life);
    const client = life.clients.get(id) as RawClient;
    const all: string[] = [];
    let resent = true;
    for (;;) {
      const lines = await client.take();
      if (lines.length === 0) return all;
      // Only what was under way before has an identifier to be compared.
      all.push(
        ...(resent ? comparable(lines) : comparable(lines).filter((line) => line.startsWith('PUBLISH'))),
      );
      resent = false;
      client.write(...answersTo(lines));
    }
  }

  async #probe(first: Life, second: Life): Promise<void> {
    for (const id of this.#ids) {
      this.#unreleased.delete(id);
      await this.#toAll(first, second, id, async (client) => {
        for (let packetId = 1; packetId <= PACKET_IDS; packetId++)
          client.write(acknowledgement('PUBREL', packetId));
      });
    }
    for (const topic of TOPICS) {
      const payload = `probe ${++this.#serial}`;
      await this.#toAll(first, second, 'two', async (client) => {
        client.write(publishPacket(topic, payload, { qos: 1, packetId: 100 }));
      });
    }
    const retained = async ({ broker }: Life) => {
      const watcher = await broker.connect({ clientId: 'watcher', protocolVersion: 5 });
      const lines = await watcher.send(subscribePacket({ '#': 0 }));
      await watcher.vanish();
      return lines.sort();
    };
    expect(await retained(second)).toEqual(await retained(first));
  }

  async #toAll(
    first: Life,
    second: Life,
    by: string,
    act: (client: RawClient) => Promise<void>,
  ): Promise<void> {
    for (const life of [first, second]) await act(life.clients.get(by) as RawClient);
    for (const id of this.#ids) await this.#same(first, second, id, async () => {});
  }
}

it.each([1, 2, 3, 4, 5, 6, 7, 8])('killed at any moment, seed %i', async (seed) => {
  const walk = new Walk(seed);
  await walk.run(500);
  expect(walk.compared).toBeGreaterThan(3);
});
