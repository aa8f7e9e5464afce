import type { Batch, Store, StoredEntry, StoredRecord } from './store.js';

/**
 * A store that lasts as long as its process: what one broker leaves, the next one that is started with it finds.
 * For tests of what a restart does, without a disk.
 */
export class MemoryStore implements Store {
  readonly #records = new Map<number, StoredRecord>();

  /** Number of records. */
  get size(): number {
    return this.#records.size;
  }

  restore(): StoredEntry[] {
    return [...this.#records].sort(([one], [other]) => one - other);
  }

  async commit(batch: Batch): Promise<void> {
    // Read in full before anything is changed: all or nothing.
    for (const [number, record] of [...batch]) {
      if (record === undefined) this.#records.delete(number);
      else this.#records.set(number, record);
    }
  }
}
