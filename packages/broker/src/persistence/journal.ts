import type { Flushable, FlushScheduler } from '../connection/flush-scheduler.js';
import type { Log } from '../log/log.js';
import type { Batch, Store, StoredRecord } from './store.js';

/** Somebody whose output waits for a batch. */
export interface CommitWaiter {
  /** A batch is saved; `Journal.committed` says which. */
  saved(): void;
  /** The batch that it waits for is not saved. */
  failed(): void;
}

/** Changes that may wait to be saved, in bytes; whoever makes more is not read until they are (broker B-10). */
export const LARGEST_BATCH = 8_388_608;
/** What a change weighs besides the bytes of its message. */
const CHANGE = 100;

/**
 * Collects what has to survive and hands it to the store, one batch at a time: what changes while one is being saved
 * goes into the next, so the slower the store, the larger the batch.
 *
 *     put/remove --end of turn, no batch under way--> commit --resolved--> saved
 *                                                            --rejected--> part of the next batch
 *
 * Batches are numbered: their number is the ticket that output waits for. After a failure the store is asked again once
 * a second, not in every turn.
 */
export class Journal implements Flushable {
  /** Changes so far, for telling whether something was changed in between. */
  changes = 0;
  /** Everything up to this batch is saved. */
  committed = 0;
  readonly #store: Store;
  readonly #scheduler: FlushScheduler;
  readonly #log: Log;
  #lastNumber = 0;
  /** Records up to this number are saved, or went and are known to the store. */
  #savedNumber = 0;
  /** Records up to this number were handed to the store: it has to be told that they went. */
  #handedNumber = 0;
  #ticket = 1;
  #pending = new Map<number, StoredRecord | undefined>();
  #weight = 0;
  #waiting = new Set<CommitWaiter>();
  #underWay:
    | { batch: Map<number, StoredRecord | undefined>; weight: number; waiting: Set<CommitWaiter> }
    | undefined;
  #scheduled = false;
  #failing = false;
  /** Who wants to know how the batch under way turns out. */
  #outcome: (() => void)[] = [];

  constructor(store: Store, scheduler: FlushScheduler, log: Log) {
    this.#store = store;
    this.#scheduler = scheduler;
    this.#log = log;
  }

  /** Whether as much waits to be saved as may. */
  get full(): boolean {
    return this.#weight + (this.#underWay?.weight ?? 0) >= LARGEST_BATCH;
  }

  /** A record that the store gave: it has this number, and those to come have higher ones. */
  known(number: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, number);
    this.#savedNumber = this.#lastNumber;
    this.#handedNumber = this.#lastNumber;
  }

  /** A new record. */
  add(record: StoredRecord): number {
    const number = ++this.#lastNumber;
    this.put(number, record);
    return number;
  }

  /** Another record in place of the one that has this number. */
  put(number: number, record: StoredRecord): void {
    this.#forget(number);
    this.#pending.set(number, record);
    this.#weight += weightOf(record);
    this.#changed();
  }

  remove(number: number): void {
    this.#forget(number);
    // What the store never saw it need not be told of.
    if (number <= this.#handedNumber) {
      this.#pending.set(number, undefined);
      this.#weight += CHANGE;
    }
    this.#changed();
  }

  #forget(number: number): void {
    if (!this.#pending.has(number)) return;
    this.#weight -= weightOf(this.#pending.get(number));
    this.#pending.delete(number);
  }

  /** Something was found to be so already: whoever says so has to wait until it is saved. */
  touch(): void {
    this.#changed();
  }

  #changed(): void {
    this.changes++;
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#scheduler.add(this);
  }

  /**
   * The batch that has to be saved before what depends on the changes so far may leave; 0: all of it is saved.
   * The waiter hears of it.
   */
  wait(waiter: CommitWaiter): number {
    if (this.#pending.size > 0) {
      this.#waiting.add(waiter);
      return this.#ticket;
    }
    if (this.#underWay === undefined) return 0;
    this.#underWay.waiting.add(waiter);
    return this.#ticket - 1;
  }

  /** It does not want to hear any more. */
  forget(waiter: CommitWaiter): void {
    this.#waiting.delete(waiter);
    this.#underWay?.waiting.delete(waiter);
  }

  /** Flushable: the turn is over. */
  flush(): void {
    this.#scheduled = false;
    if (!this.#failing) this.#commit();
  }

  /** Once a second: a store that failed is asked again. */
  sweep(): void {
    if (this.#failing) this.#commit();
  }

  /** Resolves when everything is saved, or when the store has failed to save what there is. */
  async settled(): Promise<void> {
    do {
      this.#commit();
      if (this.#underWay !== undefined) await new Promise<void>((resolve) => this.#outcome.push(resolve));
    } while (!this.#failing && this.#pending.size > 0);
  }

  #commit(): void {
    if (this.#underWay !== undefined) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    const ticket = this.#ticket++;
    if (this.#pending.size === 0) {
      // Everything that was changed was taken back before the store had heard of it.
      this.#saved(ticket, waiting);
      return;
    }
    const batch = this.#pending;
    this.#pending = new Map();
    this.#underWay = { batch, weight: this.#weight, waiting };
    this.#weight = 0;
    const handed = this.#lastNumber;
    this.#handedNumber = handed;
    handOver(this.#store, batch).then(
      () => {
        this.#underWay = undefined;
        this.#savedNumber = handed;
        if (this.#failing) {
          this.#failing = false;
          this.#log.notice('The store saves again.');
        }
        this.#saved(ticket, waiting);
        this.#next();
      },
      (error: unknown) => {
        this.#underWay = undefined;
        this.#takeBack(batch);
        if (!this.#failing) {
          this.#failing = true;
          const why = error instanceof Error ? error.message : String(error);
          this.#log.error(
            `Error: The store cannot save: ${why}. What it would acknowledge is not acknowledged.`,
          );
        }
        for (const waiter of waiting) waiter.failed();
        this.#next();
      },
    );
  }

  #saved(ticket: number, waiting: ReadonlySet<CommitWaiter>): void {
    this.committed = ticket;
    for (const waiter of waiting) waiter.saved();
  }

  #next(): void {
    const outcome = this.#outcome;
    this.#outcome = [];
    for (const resolve of outcome) resolve();
    if (!this.#failing && (this.#pending.size > 0 || this.#waiting.size > 0)) this.#commit();
  }

  /** Puts a batch of which nothing was saved in front of what has changed since. */
  #takeBack(batch: Map<number, StoredRecord | undefined>): void {
    const later = this.#pending;
    this.#pending = batch;
    this.#handedNumber = this.#savedNumber;
    for (const [number, record] of later) {
      if (record !== undefined || number <= this.#savedNumber) batch.set(number, record);
      else batch.delete(number);
    }
    this.#weight = 0;
    for (const record of batch.values()) this.#weight += weightOf(record);
  }
}

/** A store that throws instead of rejecting is no other than one that rejects. */
async function handOver(store: Store, batch: Batch): Promise<void> {
  await store.commit(batch);
}

function weightOf(record: StoredRecord | undefined): number {
  return record?.kind === 'message' ? CHANGE + record.packet.length : CHANGE;
}
