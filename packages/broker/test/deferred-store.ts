import { MemoryStore } from '../src/persistence/memory-store.js';
import { Persistence } from '../src/persistence/persistence.js';
import type { Batch, Store, StoredEntry, StoredRecord } from '../src/persistence/store.js';
import { TestBroker, type TestBrokerOptions } from './test-broker.js';

/** A store whose commits take as long as the test wants, and fail when it says so. */
export class DeferredStore implements Store {
  /** What was saved. */
  readonly memory = new MemoryStore();
  /** Save at once what comes. */
  prompt = true;
  /** Reject at once what comes. */
  broken = false;
  /** Batches that came so far. */
  commits = 0;
  #underWay: { batch: Batch; resolve: () => void; reject: (error: Error) => void } | undefined;

  restore(): StoredEntry[] {
    return this.memory.restore();
  }

  commit(batch: Batch): Promise<void> {
    if (this.#underWay !== undefined) throw new Error('a batch came while another was under way');
    this.commits++;
    if (this.broken) return Promise.reject(new Error('no space left'));
    if (this.prompt) return this.memory.commit(batch);
    return new Promise((resolve, reject) => {
      this.#underWay = { batch, resolve, reject };
    });
  }

  /** The batch that waits, as it stands; undefined: none. */
  get waiting(): Batch | undefined {
    return this.#underWay?.batch;
  }

  /** Records of one kind that are saved. */
  saved<K extends StoredRecord['kind']>(kind: K): Extract<StoredRecord, { kind: K }>[] {
    const records = this.memory.restore().map(([, record]) => record);
    return records.filter((record): record is Extract<StoredRecord, { kind: K }> => record.kind === kind);
  }

  /** The batch that waits is saved. */
  async save(): Promise<void> {
    const { batch, resolve } = this.#take();
    await this.memory.commit(batch);
    resolve();
  }

  /** The batch that waits is not saved. */
  fail(): void {
    this.#take().reject(new Error('no space left'));
  }

  #take() {
    const underWay = this.#underWay;
    if (underWay === undefined) throw new Error('no batch waits');
    this.#underWay = undefined;
    return underWay;
  }
}

/** A broker that saves what it has to in this store, and has taken up what is in it. */
export async function brokerWith(store: Store, options: TestBrokerOptions = {}): Promise<TestBroker> {
  const broker = new TestBroker(options);
  await Persistence.start(broker.engine, store);
  return broker;
}
