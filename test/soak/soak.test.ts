import type { ProtocolVersion, QoS } from '@tsmqtt/protocol';
import { expect, test } from 'vitest';
import { Random } from '../../packages/broker/test/random.js';
import { Ledger } from './ledger.js';
import { SoakClient } from './soak-client.js';
import { WatchedBroker } from './watched-broker.js';

const full = process.env.TSMQTT_FULL === '1';
const CLIENTS = 1000;
/** Times that each of them comes. */
const ROUNDS = Number(process.env.TSMQTT_SOAK_ROUNDS ?? (full ? 30 : 3));
const SEED = Number(process.env.TSMQTT_SOAK_SEED ?? 20_261_126);
/** Clients share topics in groups. */
const ROOMS = 100;
/** Subscribers of everything in some rooms that break off now and then, beside one that stays. */
const WITNESSES = 10;
/** Clients that are busy at a time. */
const AT_ONCE = 200;
/** MiB that the heap may have grown. */
const NOISE = 6;

/** One of the thousand: what it has sent and what it has got. */
class Actor {
  readonly #sent = new Map<string, number>();
  readonly #random: Random;
  readonly ledger: Ledger;
  readonly client: SoakClient;
  readonly #qos: QoS;
  readonly #name: string;
  #known = false;

  constructor(
    port: number,
    readonly number: number,
    acknowledged: (topic: string, payload: string) => void,
  ) {
    this.#random = new Random(SEED + number);
    this.#name = `actor-${number}`;
    this.#qos = this.#random.below(3) as QoS;
    this.ledger = new Ledger(this.#name, this.#qos);
    const version = this.#random.pick<ProtocolVersion>([3, 4, 5]);
    this.client = new SoakClient(
      port,
      this.#name,
      version,
      (message) => this.ledger.add(message),
      (payload) => acknowledged(this.#topicOf(payload), payload),
    );
  }

  #topicOf(payload: string): string {
    return `room/${payload.split(' ')[3]}`;
  }

  /** Comes, publishes, and leaves in one of the ways in which clients leave. */
  async round(): Promise<void> {
    const { client } = this;
    await client.connect();
    if (!client.connected) return;
    if (!this.#known) {
      await client.subscribe(`room/${this.number % ROOMS}`, this.#qos);
      this.#known = client.connected;
    }
    for (let count = this.#random.below(6); count > 0; count--) this.#publish();
    switch (this.#random.below(5)) {
      case 0: // dies at once, with everything under way
        client.die();
        break;
      case 1: // dies when some has been acknowledged
        await this.#until(this.#random.below(client.pending + 1));
        client.die();
        break;
      case 2: // is taken over by itself, and stays for the next round to take over
        await client.connect();
        break;
      case 3: // stays, for the next round to take over
        break;
      default:
        await this.#until(0);
        await client.disconnect();
    }
  }

  /** Sends what is left to send, and stays. */
  async settle(): Promise<void> {
    await this.client.connect();
    await this.#until(0);
  }

  async #until(pending: number): Promise<void> {
    await this.client.until(() => this.client.pending <= pending || !this.client.connected);
  }

  #publish(): void {
    const room = this.#random.below(ROOMS);
    const qos = this.#random.below(3) as QoS;
    const stream = `${room} ${qos}`;
    const number = (this.#sent.get(stream) ?? 0) + 1;
    this.#sent.set(stream, number);
    this.client.publish(`room/${room}`, `${this.#name} ${qos} ${number} ${room}`, qos);
  }
}

/** Runs the same for all, so many at a time. */
async function each<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

test(`${CLIENTS} clients come, publish, take over and die ${ROUNDS} times; seed ${SEED}`, {
  timeout: 60_000 + ROUNDS * 20_000,
}, async () => {
  const broker = await WatchedBroker.start([
    'allow_anonymous true',
    'sys_interval 0',
    'max_queued_messages 100000',
  ]);
  const acknowledged = new Map<string, string>();
  const order = new Random(SEED);

  // Code is compiled and buffers have their size before the memory is looked at.
  const warm = Array.from({ length: CLIENTS }, (_, at) => new SoakClient(broker.port, `warm-${at}`, 5));
  await each(warm, (client) => client.connect({ clean: true }));
  await each(warm, (client) => client.disconnect());
  const before = { heap: await broker.heap(), resident: broker.resident };

  let over = false;
  const witnesses = Array.from({ length: WITNESSES + 1 }, (_, at) => {
    const filter = at === WITNESSES ? '#' : `room/${at}`;
    const witness = { filter, ledger: new Ledger(`witness-${at}`, 2), ends: 0 };
    let left = 0;
    const client: SoakClient = new SoakClient(
      broker.port,
      `witness-${at}`,
      at % 2 === 0 ? 4 : 5,
      (message) => {
        witness.ledger.add(message);
        if (message.payload === 'end') witness.ends++;
        // It breaks off after some messages, in the middle of whatever is under way.
        else if (at < WITNESSES && --left < 0 && !over) {
          left = order.below(40);
          client.die();
          void client.connect();
        }
      },
    );
    return Object.assign(witness, { client });
  });
  for (const { client, filter } of witnesses) {
    await client.connect();
    await client.subscribe(filter, 2);
  }

  const started = performance.now();
  const actors = Array.from(
    { length: CLIENTS },
    (_, number) => new Actor(broker.port, number, (topic, payload) => acknowledged.set(payload, topic)),
  );
  for (let round = 0; round < ROUNDS; round++) await each(actors, (actor) => actor.round());
  await each(actors, (actor) => actor.settle());

  over = true;
  for (const { client } of witnesses) if (!client.connected) await client.connect();
  const last = new SoakClient(broker.port, 'last', 4);
  await last.connect();
  for (let room = 0; room < WITNESSES; room++) last.publish(`room/${room}`, 'end', 2);
  await last.until(() => last.pending === 0);
  // What came before the end of its room has come to a witness.
  for (const witness of witnesses) {
    await witness.client.until(() => witness.ends === (witness.filter === '#' ? WITNESSES : 1));
  }
  const seconds = (performance.now() - started) / 1000;

  const missing = [...acknowledged].flatMap(([payload, topic]) =>
    witnesses
      .filter(({ filter, ledger }) => (filter === '#' || filter === topic) && !ledger.has(payload))
      .map(({ ledger }) => `${ledger.name}: "${payload}" is missing`),
  );
  expect(missing.slice(0, 10), `lost (${missing.length})`).toEqual([]);
  const ledgers = [...actors, ...witnesses].map(({ ledger }) => ledger);
  const faults = ledgers.flatMap((ledger) => ledger.faults);
  expect(faults.slice(0, 10), `doubled or out of order (${faults.length})`).toEqual([]);
  expect(witnesses.map(({ client }) => client.lost)).toEqual(witnesses.map(() => 0));
  expect(actors.filter(({ client }) => client.lost > 0)).toEqual([]);

  // Everybody leaves for good.
  const everybody = [...actors, ...witnesses].map(({ client }) => client);
  await each([...everybody, last], async (client) => {
    await client.connect({ clean: true });
    await client.disconnect();
  });
  const after = { heap: await broker.heap(), resident: broker.resident };
  const delivered = ledgers.reduce((sum, ledger) => sum + ledger.messages, 0);
  console.log(
    `${acknowledged.size} messages acknowledged, ${delivered} delivered in ${seconds.toFixed(1)} s; heap ` +
      `${before.heap.toFixed(1)} -> ${after.heap.toFixed(1)} MiB, resident ${before.resident.toFixed(0)} -> ` +
      `${after.resident.toFixed(0)} MiB, at most ${broker.peak.toFixed(0)} MiB`,
  );
  expect(acknowledged.size).toBeGreaterThan(CLIENTS * ROUNDS);
  expect(after.heap - before.heap).toBeLessThan(NOISE);
});
