import { readFileSync } from 'node:fs';
import { decodeFrame, type PublishFrame } from '@tsmqtt/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retainedMessages } from '../../test/retained-messages.js';
import { composeFrame, Message } from './message.js';
import { RetainedStore } from './retained-store.js';

interface MatchVector {
  readonly filter: string;
  readonly topic: string;
  readonly matches: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../protocol/vectors/topics.json', import.meta.url), 'utf8'),
) as { readonly matches: readonly MatchVector[] };

function message(topic: string, payload = 'x', expiresAt = Number.POSITIVE_INFINITY): Message {
  return new Message(topic, composeFrame(topic, Buffer.from(payload), 0, true, [], 4), expiresAt);
}

const topics = (found: readonly Message[]): string[] => found.map(({ topic }) => topic);

describe('the vectors of the matcher', () => {
  for (const { filter, topic, matches } of vectors.matches) {
    it(`${JSON.stringify(filter)} ${matches ? 'finds' : 'does not find'} ${JSON.stringify(topic)}`, () => {
      const store = new RetainedStore();
      store.publish(message(topic), 0);
      expect(topics(retainedMessages(store, filter))).toEqual(matches ? [topic] : []);
    });
  }

  it('hold for all of them in one store', () => {
    const store = new RetainedStore();
    for (const { topic } of vectors.matches) store.publish(message(topic), 0);
    expect(store.size).toBe(new Set(vectors.matches.map(({ topic }) => topic)).size);
    for (const { filter, topic, matches } of vectors.matches) {
      const found = topics(retainedMessages(store, filter)).includes(topic);
      expect({ filter, topic, matches: found }).toEqual({ filter, topic, matches });
    }
  });
});

it('keeps one message a topic, the latest [MQTT-3.3.1-5]', () => {
  const store = new RetainedStore();
  store.publish(message('a', '1'), 0);
  store.publish(message('a', '2'), 0);
  const [found] = retainedMessages(store, 'a');
  expect(found?.frame.payload.toString()).toBe('2');
  expect(store.size).toBe(1);
});

it('removes it with an empty payload, and leaves nothing behind [MQTT-3.3.1-6] [MQTT-3.3.1-7]', () => {
  const store = new RetainedStore();
  for (const { topic } of vectors.matches) store.publish(message(topic), 0);
  for (const { topic } of vectors.matches) store.publish(message(topic, ''), 0);
  expect(store.size).toBe(0);
  expect(store.levels).toBe(new RetainedStore().levels);
  for (const { filter } of vectors.matches) expect(retainedMessages(store, filter)).toEqual([]);
});

it('takes at most two places for a topic, however many levels it has', () => {
  const store = new RetainedStore();
  const deep = (index: number): string => [...Array<number>(198).keys(), index % 7, index].join('/');
  for (let index = 0; index < 100; index++) {
    store.publish(message(deep(index)), 0);
    store.publish(message(`${index}/${deep(index)}`), 0);
  }
  expect(store.levels).toBeLessThanOrEqual(1 + 2 * 200);
  expect(topics(retainedMessages(store, deep(50)))).toEqual([deep(50)]);
  expect(topics(retainedMessages(store, '#'))).toHaveLength(200);
});

it('has what a plain list has, in as few places as if it had been made of that, whatever came and went', () => {
  const topic = fc
    .array(fc.constantFrom('a', 'b', 'ab', ''), { minLength: 1, maxLength: 6 })
    .map((levels) => levels.join('/'))
    .filter((name) => name !== '');
  fc.assert(
    fc.property(fc.array(fc.record({ topic, clears: fc.boolean() }), { maxLength: 40 }), (changes) => {
      const store = new RetainedStore();
      const list = new Set<string>();
      for (const { topic: name, clears } of changes) {
        store.publish(message(name, clears ? '' : 'x'), 0);
        if (clears) list.delete(name);
        else list.add(name);
      }
      expect(topics(retainedMessages(store, '#')).sort()).toEqual([...list].sort());
      const anew = new RetainedStore();
      for (const name of list) anew.publish(message(name), 0);
      expect(store.levels).toBe(anew.levels);
      for (const name of list) expect(topics(retainedMessages(store, name))).toEqual([name]);
    }),
    { numRuns: 1000 },
  );
});

it('removes what is not there without harm', () => {
  const store = new RetainedStore();
  store.publish(message('a/b'), 0);
  for (const topic of ['a', 'a/b/c', 'b', 'a/']) store.publish(message(topic, ''), 0);
  expect(topics(retainedMessages(store, '#'))).toEqual(['a/b']);
});

it('keeps its bytes when the chunk they came in changes', () => {
  const { source } = message('a', '1').frame;
  const chunk = Buffer.concat([source, Buffer.alloc(100)]);
  const frame = decodeFrame(chunk, 0, 2, source.length, 4) as PublishFrame;
  const store = new RetainedStore();
  store.publish(new Message('a', frame, Number.POSITIVE_INFINITY), 0);
  chunk.fill(0);
  expect(retainedMessages(store, 'a')[0]?.frame.payload.toString()).toBe('1');
});

describe('expiry', () => {
  it('removes what has expired and nothing else', () => {
    const store = new RetainedStore();
    store.publish(message('a', '1', 1000), 0);
    store.publish(message('a/b', '2', 2000), 0);
    store.publish(message('c', '3'), 0);
    store.expire(999);
    expect(store.size).toBe(3);
    store.expire(1000);
    expect(topics(retainedMessages(store, '#'))).toEqual(['a/b', 'c']);
    store.expire(5000);
    expect(topics(retainedMessages(store, '#'))).toEqual(['c']);
  });

  it('goes by the message that is there now', () => {
    const store = new RetainedStore();
    store.publish(message('a', '1', 1000), 0);
    store.publish(message('a', '2'), 0);
    store.publish(message('b', '1', 1000), 0);
    store.publish(message('b', ''), 0);
    store.publish(message('b', '2', 3000), 0);
    store.expire(2000);
    expect(topics(retainedMessages(store, '#'))).toEqual(['a', 'b']);
  });

  it('retain_expiry_interval ends what does not end before', () => {
    const store = new RetainedStore(60_000);
    store.publish(message('own', '1', 30_000), 0);
    store.publish(message('longer', '2', 90_000), 0);
    store.publish(message('none', '3'), 0);
    store.publish(message('late', '4'), 30_000);
    store.expire(30_000);
    expect(topics(retainedMessages(store, '#'))).toEqual(['longer', 'none', 'late']);
    store.expire(60_000);
    expect(topics(retainedMessages(store, '#'))).toEqual(['late']);
    store.expire(90_000);
    expect(store.size).toBe(0);
  });

  it('leaves the broker its own values', () => {
    const store = new RetainedStore(60_000);
    store.publish(message('$SYS/broker/version', '1'), 0);
    store.expire(1_000_000);
    expect(store.size).toBe(1);
  });

  it('counts from the message that is there now', () => {
    const store = new RetainedStore(60_000);
    store.publish(message('a', '1'), 0);
    store.publish(message('a', '2'), 50_000);
    store.expire(60_000);
    expect(store.size).toBe(1);
    store.expire(110_000);
    expect(store.size).toBe(0);
  });

  it('takes another retain_expiry_interval for what is there already (broker T-6)', () => {
    const store = new RetainedStore();
    for (const topic of ['a', 'a/b', 'c']) store.publish(message(topic, '1'), 0);
    store.lifetime = 60_000;
    store.publish(message('c', '1', 10_000), 0);
    store.lifetime = Number.POSITIVE_INFINITY;
    store.expire(60_000);
    expect(topics(retainedMessages(store, '#'))).toEqual(['a', 'a/b']);
    store.lifetime = 70_000;
    store.expire(69_999);
    expect(store.size).toBe(2);
    store.expire(70_000);
    expect(store.size).toBe(0);
  });
});
