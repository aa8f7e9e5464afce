import { expect, it } from 'vitest';
import { DeferredStore } from '../../test/deferred-store.js';
import { FlushScheduler } from '../connection/flush-scheduler.js';
import { silentLog } from '../log/log.js';
import { type CommitWaiter, Journal, LARGEST_BATCH } from './journal.js';
import type { StoredRecord } from './store.js';

const retained = (message: number): StoredRecord => ({
  kind: 'retained',
  message,
  since: 0,
  source: undefined,
});
const message = (bytes: number): StoredRecord => ({
  kind: 'message',
  packet: Buffer.alloc(bytes),
  protocolVersion: 4,
  expiresAt: undefined,
});

/** Notes what it hears. */
class Waiter implements CommitWaiter {
  readonly heard: string[] = [];
  saved(): void {
    this.heard.push('saved');
  }
  failed(): void {
    this.heard.push('failed');
  }
}

function setup() {
  const store = new DeferredStore();
  store.prompt = false;
  const lines: string[] = [];
  const log = {
    ...silentLog,
    error: (text: string) => void lines.push(text),
    notice: (text: string) => void lines.push(text),
  };
  return { store, lines, journal: new Journal(store, new FlushScheduler(), log) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const numbers = (store: DeferredStore) => store.memory.restore().map(([number]) => number);

it('hands everything of a turn over in one batch, and one batch at a time', async () => {
  const { store, journal } = setup();
  expect([journal.add(retained(1)), journal.add(retained(2))]).toEqual([1, 2]);
  expect(store.commits).toBe(0);
  await turn();
  expect([...(store.waiting?.keys() ?? [])]).toEqual([1, 2]);
  journal.add(retained(3));
  await turn();
  journal.put(1, retained(9));
  await turn();
  expect(store.commits).toBe(1);
  await store.save();
  await turn();
  expect(store.commits).toBe(2);
  expect([...(store.waiting?.entries() ?? [])]).toEqual([
    [3, retained(3)],
    [1, retained(9)],
  ]);
});

it('does not tell the store of what came and went before it heard of it', async () => {
  const { store, journal } = setup();
  const number = journal.add(retained(1));
  const waiter = new Waiter();
  expect(journal.wait(waiter)).toBe(1);
  journal.remove(number);
  await turn();
  expect(store.commits).toBe(0);
  expect(waiter.heard).toEqual(['saved']);
  expect(journal.committed).toBe(1);
});

it('tells it of what went while it was being saved', async () => {
  const { store, journal } = setup();
  const number = journal.add(retained(1));
  await turn();
  journal.remove(number);
  await store.save();
  await turn();
  expect([...(store.waiting?.entries() ?? [])]).toEqual([[number, undefined]]);
  await store.save();
  expect(store.memory.size).toBe(0);
});

it('has everybody wait for the batch that has what they depend on', async () => {
  const { store, journal } = setup();
  const [nothing, first, second, late] = [new Waiter(), new Waiter(), new Waiter(), new Waiter()];
  expect(journal.wait(nothing)).toBe(0);
  journal.add(retained(1));
  expect(journal.wait(first)).toBe(1);
  await turn();
  // Nothing has changed since: what is under way is enough.
  expect(journal.wait(late)).toBe(1);
  journal.add(retained(2));
  expect(journal.wait(second)).toBe(2);
  await store.save();
  await turn();
  expect([first.heard, late.heard, second.heard]).toEqual([['saved'], ['saved'], []]);
  expect(journal.committed).toBe(1);
  await store.save();
  await turn();
  expect(second.heard).toEqual(['saved']);
  expect(journal.committed).toBe(2);
  expect(nothing.heard).toEqual([]);
});

it('gives a batch that failed again with the next, once a second, less what has gone since', async () => {
  const { store, journal, lines } = setup();
  const kept = journal.add(retained(1));
  await turn();
  await store.save();
  await turn();
  const [gone, stays] = [journal.add(retained(2)), journal.add(retained(3))];
  journal.remove(kept);
  const waiter = new Waiter();
  journal.wait(waiter);
  await turn();
  journal.remove(gone);
  journal.put(stays, retained(4));
  const later = new Waiter();
  journal.wait(later);
  store.fail();
  await turn();
  expect([waiter.heard, later.heard]).toEqual([['failed'], []]);
  await turn();
  expect(store.waiting).toBeUndefined();
  journal.sweep();
  expect([...(store.waiting?.entries() ?? [])].sort(([one], [other]) => one - other)).toEqual([
    [kept, undefined],
    [stays, retained(4)],
  ]);
  await store.save();
  await turn();
  expect(later.heard).toEqual(['saved']);
  expect(numbers(store)).toEqual([stays]);
  expect(lines).toEqual([
    'Error: The store cannot save: no space left. What it would acknowledge is not acknowledged.',
    'The store saves again.',
  ]);
});

it('does not grow while the store fails: what comes and goes leaves nothing', async () => {
  const { store, journal } = setup();
  journal.add(retained(1));
  await turn();
  store.broken = true;
  store.fail();
  await turn();
  let last = 0;
  for (let second = 0; second < 100; second++) {
    if (last > 0) journal.remove(last);
    last = journal.add(retained(second));
    journal.sweep();
    await turn();
  }
  store.broken = false;
  journal.sweep();
  expect([...(store.waiting?.keys() ?? [])]).toEqual([1, last]);
});

it('is full at its bound, counting what is under way', async () => {
  const { store, journal } = setup();
  const half = message(LARGEST_BATCH / 2);
  const first = journal.add(half);
  await turn();
  expect(journal.full).toBe(false);
  const second = journal.add(half);
  expect(journal.full).toBe(true);
  journal.put(second, message(0));
  expect(journal.full).toBe(false);
  journal.put(second, half);
  store.fail();
  await turn();
  expect(journal.full).toBe(true);
  journal.remove(first);
  expect(journal.full).toBe(false);
});

it('goes on behind the numbers that the store gave', () => {
  const { journal } = setup();
  journal.known(3);
  journal.known(17);
  expect(journal.add(retained(1))).toBe(18);
});

it('says when everything is saved', async () => {
  const { store, journal } = setup();
  store.prompt = true;
  journal.add(retained(1));
  const settled = journal.settled();
  journal.add(retained(2));
  await settled;
  expect(numbers(store)).toEqual([1, 2]);
  await journal.settled();
  expect(store.commits).toBe(2);
});

it('gives up saying so when the store fails', async () => {
  const { store, journal, lines } = setup();
  store.broken = true;
  journal.add(retained(1));
  await journal.settled();
  await journal.settled();
  expect(lines).toHaveLength(1);
});
