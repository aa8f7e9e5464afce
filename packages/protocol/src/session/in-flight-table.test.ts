import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InFlightTable } from './in-flight-table.js';
import { OutboundMessage } from './outbound-message.js';

class Message extends OutboundMessage {
  readonly qos = 1;
}

/** Adds a message as a flow does. */
let sequence = 0;
function add(table: InFlightTable<Message>): Message {
  const message = new Message();
  table.add(message);
  message.sequence = ++sequence;
  return message;
}

describe('Packet Identifiers', () => {
  test('start with 1, go up by one, and are not 0 when they start anew (broker §9.10)', () => {
    const table = new InFlightTable<Message>();
    const wrong: number[] = [];
    for (let count = 0; count < 200_000; count++) {
      const message = add(table);
      if (message.packetId !== (count % 65_535) + 1) wrong.push(count);
      table.delete(message);
    }
    expect(wrong).toEqual([]);
  });

  test('skip those in use, through as many rounds as it takes', () => {
    const table = new InFlightTable<Message>();
    const stragglers = [add(table), add(table), add(table)];
    table.delete(stragglers.splice(1, 1)[0]!);
    const seen = new Set<number>();
    for (let count = 0; count < 4 * 65_535; count++) {
      const message = add(table);
      seen.add(message.packetId);
      table.delete(message);
    }
    expect(stragglers.map((straggler) => table.get(straggler.packetId))).toEqual(stragglers);
    expect([1, 2, 3].map((packetId) => seen.has(packetId))).toEqual([false, true, false]);
    expect(table.capacity).toBe(16);
    expect(table.inOrder()).toEqual(stragglers);
  });

  test('may all be in use, and then no more', () => {
    const table = new InFlightTable<Message>();
    const all = Array.from({ length: 65_535 }, () => add(table));
    expect(new Set(all.map((message) => message.packetId)).size).toBe(65_535);
    expect(Math.min(...all.map((message) => message.packetId))).toBe(1);
    expect(Math.max(...all.map((message) => message.packetId))).toBe(65_535);
    expect(() => add(table)).toThrow(RangeError);
    const free = all[12_345]!;
    table.delete(free);
    const last = add(table);
    expect(last.packetId).toBe(free.packetId);
    expect(table.get(last.packetId)).toBe(last);
    expect(table.size).toBe(65_535);
    expect(table.capacity).toBe(65_536);
  });
});

describe('memory', () => {
  test('is that of the window, not of all that went through it', () => {
    const table = new InFlightTable<Message>();
    const window: Message[] = [];
    for (let count = 0; count < 1_000_000; count++) {
      if (window.length === 20) table.delete(window.shift()!);
      window.push(add(table));
    }
    expect(table.size).toBe(20);
    expect(table.capacity).toBe(32);
  });

  test('is given back when a large window has run empty', () => {
    const table = new InFlightTable<Message>();
    const all = Array.from({ length: 20_000 }, () => add(table));
    expect(table.capacity).toBe(32_768);
    for (const message of all) table.delete(message);
    expect(table.capacity).toBe(0);
    const next = add(table);
    expect(next.packetId).toBe(20_001);
    expect(table.get(20_001)).toBe(next);
  });

  test('is nothing before the first message and after clear()', () => {
    const table = new InFlightTable<Message>();
    expect([table.capacity, table.size, table.get(1), table.inOrder()]).toEqual([0, 0, undefined, []]);
    const message = add(table);
    table.clear();
    expect([table.capacity, table.size, table.get(1)]).toEqual([0, 0, undefined]);
    // Identifiers go on: a late acknowledgement must not meet a new message.
    expect(add(table).packetId).toBe(message.packetId + 1);
  });
});

test('a message that is not in the table is not deleted from it', () => {
  const table = new InFlightTable<Message>();
  const message = add(table);
  const stranger = new Message();
  stranger.packetId = message.packetId;
  table.delete(stranger);
  table.delete(new Message());
  expect([table.size, table.get(1)]).toEqual([1, message]);
});

test('does what a map does, whatever the order of calls', () => {
  const call = fc.oneof(
    fc.integer({ min: 1, max: 40 }).map((count) => ({ add: count })),
    fc.array(fc.nat(), { maxLength: 40 }).map((which) => ({ delete: which })),
    // Far on, so that those left behind meet the identifiers of a later round.
    fc.integer({ min: 1, max: 70_000 }).map((count) => ({ pass: count })),
  );
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
      const table = new InFlightTable<Message>();
      const model = new Map<number, Message>();
      let peak = 0;
      const insert = (): Message => {
        const message = add(table);
        const { packetId } = message;
        if (packetId < 1 || packetId > 65_535 || model.has(packetId))
          throw new Error(`${packetId} is in use`);
        model.set(message.packetId, message);
        peak = Math.max(peak, model.size);
        return message;
      };
      const remove = (message: Message): void => {
        table.delete(message);
        model.delete(message.packetId);
      };
      for (const one of calls) {
        if ('add' in one) for (let count = one.add; count > 0; count--) insert();
        else if ('pass' in one) for (let count = one.pass; count > 0; count--) remove(insert());
        else {
          for (const which of one.delete) {
            if (model.size > 0) remove([...model.values()][which % model.size]!);
          }
        }
        expect(table.size).toBe(model.size);
        expect([...model.keys()].map((packetId) => table.get(packetId))).toEqual([...model.values()]);
        expect(table.inOrder()).toEqual([...model.values()].sort((a, b) => a.sequence - b.sequence));
        expect(table.capacity).toBeLessThanOrEqual(Math.max(16, 4 * peak));
      }
    }),
    { numRuns: 40 },
  );
});
