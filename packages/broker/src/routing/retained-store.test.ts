import { readFileSync } from 'node:fs';
import { decodeFrame, type PublishFrame } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
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
      store.publish(message(topic));
      expect(topics(store.matching(filter))).toEqual(matches ? [topic] : []);
    });
  }

  it('hold for all of them in one store', () => {
    const store = new RetainedStore();
    for (const { topic } of vectors.matches) store.publish(message(topic));
    expect(store.size).toBe(new Set(vectors.matches.map(({ topic }) => topic)).size);
    for (const { filter, topic, matches } of vectors.matches) {
      const found = topics(store.matching(filter)).includes(topic);
      expect({ filter, topic, matches: found }).toEqual({ filter, topic, matches });
    }
  });
});

it('keeps one message a topic, the latest [MQTT-3.3.1-5]', () => {
  const store = new RetainedStore();
  store.publish(message('a', '1'));
  const [first] = store.matching('a');
  store.publish(message('a', '2'));
  const [second] = store.matching('a');
  expect(second?.frame.payload.toString()).toBe('2');
  expect([first?.retained, second?.retained]).toEqual([false, true]);
  expect(store.size).toBe(1);
});

it('removes it with an empty payload, and leaves nothing behind [MQTT-3.3.1-6] [MQTT-3.3.1-7]', () => {
  const store = new RetainedStore();
  for (const { topic } of vectors.matches) store.publish(message(topic));
  for (const { topic } of vectors.matches) store.publish(message(topic, ''));
  expect(store.size).toBe(0);
  expect(store.levels).toBe(new RetainedStore().levels);
  for (const { filter } of vectors.matches) expect(store.matching(filter)).toEqual([]);
});

it('removes what is not there without harm', () => {
  const store = new RetainedStore();
  store.publish(message('a/b'));
  for (const topic of ['a', 'a/b/c', 'b', 'a/']) store.publish(message(topic, ''));
  expect(topics(store.matching('#'))).toEqual(['a/b']);
});

it('keeps its bytes when the chunk they came in changes', () => {
  const { source } = message('a', '1').frame;
  const chunk = Buffer.concat([source, Buffer.alloc(100)]);
  const frame = decodeFrame(chunk, 0, 2, source.length, 4) as PublishFrame;
  const store = new RetainedStore();
  store.publish(new Message('a', frame, Number.POSITIVE_INFINITY));
  chunk.fill(0);
  expect(store.matching('a')[0]?.frame.payload.toString()).toBe('1');
});

describe('expiry', () => {
  it('removes what has expired and nothing else', () => {
    const store = new RetainedStore();
    store.publish(message('a', '1', 1000));
    store.publish(message('a/b', '2', 2000));
    store.publish(message('c', '3'));
    const [expiring] = store.matching('a');
    store.expire(999);
    expect(store.size).toBe(3);
    store.expire(1000);
    expect(topics(store.matching('#'))).toEqual(['a/b', 'c']);
    expect(expiring?.retained).toBe(false);
    store.expire(5000);
    expect(topics(store.matching('#'))).toEqual(['c']);
  });

  it('goes by the message that is there now', () => {
    const store = new RetainedStore();
    store.publish(message('a', '1', 1000));
    store.publish(message('a', '2'));
    store.publish(message('b', '1', 1000));
    store.publish(message('b', ''));
    store.publish(message('b', '2', 3000));
    store.expire(2000);
    expect(topics(store.matching('#'))).toEqual(['a', 'b']);
  });
});
