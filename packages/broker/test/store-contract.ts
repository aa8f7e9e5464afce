import { describe, expect, it } from 'vitest';
import type { Batch, Store, StoredEntry, StoredRecord } from '../src/persistence/store.js';
import { Random } from './random.js';

export interface StoreUnderTest {
  /** A store of its own with nothing in it. */
  create(): Promise<Store>;
  /** What the next process finds: the store closed and opened again. */
  reopen(store: Store): Promise<Store>;
}

async function everything(store: Store): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for await (const entry of store.restore()) entries.push(entry);
  return entries;
}

/** A record in the form in which two of them can be compared, whatever class their bytes have. */
const plain = ([number, record]: StoredEntry) =>
  record.kind === 'message'
    ? [number, { ...record, packet: Buffer.from(record.packet).toString('hex') }]
    : [number, record];

function message(fields: Partial<StoredRecord & { kind: 'message' }> = {}): StoredRecord {
  return {
    kind: 'message',
    packet: Buffer.from('3003000161', 'hex'),
    protocolVersion: 4,
    expiresAt: undefined,
    ...fields,
  };
}

const retained = (number: number): StoredRecord => ({
  kind: 'retained',
  message: number,
  since: 1_767_225_600_000.125,
  source: number === 1 ? undefined : { clientId: 'c', username: '', listener: '/a' },
});
const batchOf = (...entries: readonly (readonly [number, StoredRecord | undefined])[]): Batch =>
  new Map(entries);

/** One of every kind with every field at its ends. */
const EVERY_KIND: readonly StoredRecord[] = [
  {
    kind: 'session',
    protocolVersion: 5,
    client: { clientId: 'c', username: undefined, listener: '*:1883' },
    expiryInterval: 1,
    offlineSince: undefined,
  },
  {
    kind: 'session',
    protocolVersion: 5,
    client: { clientId: 'Ж\u{1f980}', username: '', listener: '/run/broker.sock' },
    expiryInterval: 4_294_967_295,
    offlineSince: 1_767_225_600_000.125,
  },
  message(),
  message({
    packet: Buffer.alloc(0),
    protocolVersion: 3,
    expiresAt: 0,
  }),
  message({ packet: Buffer.from([0, 255, 0, 13, 10]), protocolVersion: 5, expiresAt: 8_640_000_000_000_000 }),
  message({ packet: Buffer.alloc(300_000, 'tsmqtt') }),
  {
    kind: 'subscription',
    session: 1,
    filter: `\u{1f980}/${'x'.repeat(65_000)}/#`,
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    identifier: undefined,
    replaying: false,
  },
  {
    kind: 'subscription',
    session: 2,
    filter: '$share/g/+/a',
    qos: 2,
    noLocal: true,
    retainAsPublished: true,
    identifier: 268_435_455,
    replaying: true,
  },
  {
    kind: 'delivery',
    session: 1,
    message: 3,
    qos: 0,
    retain: false,
    subscriptionIdentifier: undefined,
    packetId: 0,
    released: false,
  },
  {
    kind: 'delivery',
    session: 1,
    message: 4,
    qos: 1,
    retain: true,
    subscriptionIdentifier: 1,
    packetId: 65_535,
    released: false,
  },
  {
    kind: 'delivery',
    session: 2,
    message: 5,
    qos: 2,
    retain: false,
    subscriptionIdentifier: undefined,
    packetId: 1,
    released: true,
  },
  { kind: 'receipt', session: 2, message: 6, packetId: 65_535 },
  retained(3),
];

/** What every store keeps to (persistence/store.ts). */
export function describeStore(name: string, { create, reopen }: StoreUnderTest): void {
  describe(`${name} as a store`, () => {
    it('has nothing in it at first', async () => {
      const store = await create();
      expect(await everything(store)).toEqual([]);
      expect(await everything(await reopen(store))).toEqual([]);
    });

    it('gives every kind of record back as it was', async () => {
      const store = await create();
      const entries = EVERY_KIND.map((record, index) => [index + 1, record] as const);
      await store.commit(new Map(entries));
      expect((await everything(await reopen(store))).map(plain)).toEqual(entries.map(plain));
    });

    it('gives records by ascending number, whatever order they came in', async () => {
      const store = await create();
      const far = Number.MAX_SAFE_INTEGER;
      await store.commit(batchOf([256, retained(1)], [far, retained(1)], [9, retained(1)]));
      await store.commit(
        batchOf([10, retained(1)], [1, message()], [2 ** 32, retained(1)], [255, retained(1)]),
      );
      const numbers = (await everything(await reopen(store))).map(([number]) => number);
      expect(numbers).toEqual([1, 9, 10, 255, 256, 2 ** 32, far]);
    });

    it('puts a record in the place of the one with its number, and removes', async () => {
      const store = await create();
      await store.commit(batchOf([1, message()], [2, retained(1)], [3, message({ expiresAt: 2 })]));
      await store.commit(batchOf([3, message({ expiresAt: 3 })], [2, undefined], [77, undefined]));
      expect((await everything(await reopen(store))).map(plain)).toEqual(
        [[1, message()] as const, [3, message({ expiresAt: 3 })] as const].map(plain),
      );
    });

    it('goes on after it was opened again', async () => {
      const first = await create();
      await first.commit(batchOf([1, message()], [2, retained(1)]));
      const second = await reopen(first);
      await second.commit(batchOf([2, undefined], [3, retained(1)]));
      const third = await reopen(second);
      expect((await everything(third)).map(([number]) => number)).toEqual([1, 3]);
    });

    it('saves an empty batch', async () => {
      const store = await create();
      await store.commit(new Map());
      expect(await everything(await reopen(store))).toEqual([]);
    });

    it('saves a batch of any size', async () => {
      const store = await create();
      const batch = new Map<number, StoredRecord>();
      for (let number = 1; number <= 20_000; number++) batch.set(number, message({ expiresAt: number }));
      await store.commit(batch);
      const restored = await everything(await reopen(store));
      expect(restored).toHaveLength(20_000);
      expect(
        restored.every(([number, record]) => record.kind === 'message' && record.expiresAt === number),
      ).toBe(true);
    });

    it('does not look at a batch after it has settled', async () => {
      const store = await create();
      const batch = new Map<number, StoredRecord | undefined>([[1, message()]]);
      await store.commit(batch);
      batch.set(1, message({ expiresAt: 9 })).set(2, retained(1));
      expect((await everything(await reopen(store))).map(plain)).toEqual([plain([1, message()])]);
    });

    it('changes neither the batch nor the bytes in it', async () => {
      const store = await create();
      const chunk = Buffer.from('....3003000161....');
      const packet = chunk.subarray(4, 14);
      const batch = new Map<number, StoredRecord | undefined>([
        [1, message({ packet })],
        [5, undefined],
      ]);
      await store.commit(batch);
      expect([...batch.keys()]).toEqual([1, 5]);
      expect(chunk.toString()).toBe('....3003000161....');
    });

    it('rejects a batch that it cannot read to its end, saves nothing of it, and goes on', async () => {
      const store = await create();
      await store.commit(batchOf([1, message()], [2, retained(1)]));
      const broken = new Broken([
        [1, message({ expiresAt: 9 })],
        [2, undefined],
        [3, retained(1)],
      ]);
      await expect(store.commit(broken)).rejects.toThrow('no further');
      await store.commit(batchOf([4, retained(1)]));
      expect((await everything(await reopen(store))).map(plain)).toEqual(
        [[1, message()] as const, [2, retained(1)] as const, [4, retained(1)] as const].map(plain),
      );
    });

    it.each([1, 2, 3])('is what its batches make it, seed %i', async (seed) => {
      const random = new Random(seed);
      let store = await create();
      const model = new Map<number, StoredRecord>();
      for (let round = 0; round < 60; round++) {
        const batch = new Map<number, StoredRecord | undefined>();
        for (let change = random.below(30); change > 0; change--) {
          const number = 1 + random.below(200);
          const record = random.below(3) === 0 ? undefined : message({ expiresAt: random.below(1000) });
          batch.set(number, record);
        }
        await store.commit(batch);
        for (const [number, record] of batch) {
          if (record === undefined) model.delete(number);
          else model.set(number, record);
        }
        if (random.below(10) === 0) store = await reopen(store);
      }
      const expected = [...model].sort(([one], [other]) => one - other);
      expect((await everything(await reopen(store))).map(plain)).toEqual(expected.map(plain));
    });
  });
}

/** A batch that ends in an error: what a record that cannot be encoded does to a store. */
class Broken extends Map<number, StoredRecord | undefined> {
  *#cut(): MapIterator<[number, StoredRecord | undefined]> {
    yield* super.entries();
    throw new Error('no further');
  }

  override entries(): MapIterator<[number, StoredRecord | undefined]> {
    return this.#cut();
  }

  override [Symbol.iterator](): MapIterator<[number, StoredRecord | undefined]> {
    return this.#cut();
  }

  override forEach(
    visit: (
      record: StoredRecord | undefined,
      number: number,
      map: Map<number, StoredRecord | undefined>,
    ) => void,
  ): void {
    for (const [number, record] of this) visit(record, number, this);
  }
}
