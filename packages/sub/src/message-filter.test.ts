import { PacketType, type Publish, parseWideFilter } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { defaultSettings, type Settings } from '../../cli-kit/src/options/settings.js';
import { Fate, messageFilter } from './message-filter.js';
import { subscriptionRequests } from './subscriptions.js';

function settings(changes: Partial<Settings>, ...filters: string[]): Settings {
  return {
    ...defaultSettings('sub'),
    ...changes,
    filters: filters.map((filter) => ({ argument: Buffer.from(filter), wide: parseWideFilter(filter)! })),
  };
}

function message(topic: string, retain = false): Publish {
  return {
    type: PacketType.PUBLISH,
    topic,
    payload: Buffer.from('x'),
    qos: 0,
    retain,
    dup: false,
    packetId: 0,
    properties: [],
  };
}

describe('what becomes of a message (cli §12.3)', () => {
  test('without options everything is printed', () => {
    expect(messageFilter(settings({}, 'a'))(message('other', true))).toBe(Fate.PRINT);
  });

  test('--retained-only ends at the first that is not retained', () => {
    const fate = messageFilter(settings({ retainedOnly: true }, '#'));
    expect([fate(message('a', true)), fate(message('a'))]).toEqual([Fate.PRINT, Fate.FINISH]);
  });

  test('-R leaves retained ones out', () => {
    const fate = messageFilter(settings({ ignoreRetained: true }, '#'));
    expect([fate(message('a', true)), fate(message('a'))]).toEqual([Fate.SKIP, Fate.PRINT]);
  });

  test('-T leaves matching topics out; a/# is a, too', () => {
    const fate = messageFilter(settings({ filterOut: ['a/#', '+/x'] }, '#'));
    expect(['a', 'a/b', 'b/x', 'b/y', '$SYS/x'].map((topic) => fate(message(topic)))).toEqual([
      Fate.SKIP,
      Fate.SKIP,
      Fate.SKIP,
      Fate.PRINT,
      Fate.PRINT,
    ]);
  });

  test('--random-filter keeps so many of 100 (D-14), and what it hides still counts', () => {
    let next = 0;
    const fate = messageFilter(settings({ randomFilter: 12.34 }, '#'), () => next++ / 1000);
    const fates = Array.from({ length: 1000 }, () => fate(message('a')));
    expect(fates.filter((one) => one === Fate.PRINT).length).toBe(123);
    expect(fates.filter((one) => one === Fate.HIDE).length).toBe(877);
  });
});

describe('# inside a filter (P-18)', () => {
  test('subscribes to more and prints what was meant', () => {
    const wanted = settings({}, 'a/b/#/d');
    expect(subscriptionRequests(wanted).map((request) => request.filter)).toEqual(['a/b/#']);
    const fate = messageFilter(wanted);
    const topics = ['a/b/d', 'a/b/x/d', 'a/b/x/y/d', 'a/b/x', 'a/b'];
    expect(topics.filter((topic) => fate(message(topic)) === Fate.PRINT)).toEqual(topics.slice(0, 3));
  });

  test('another filter may want what this one does not', () => {
    const fate = messageFilter(settings({}, 'a/#/d', 'a/x'));
    expect([fate(message('a/x')), fate(message('a/y'))]).toEqual([Fate.PRINT, Fate.SKIP]);
  });

  test('what neither brought in is printed as ever', () => {
    expect(messageFilter(settings({}, 'a/#/d'))(message('kept/session'))).toBe(Fate.PRINT);
  });

  test('in a shared subscription, too', () => {
    const fate = messageFilter(settings({}, '$share/g/a/#/d'));
    expect([fate(message('a/1/d')), fate(message('a/1'))]).toEqual([Fate.PRINT, Fate.SKIP]);
  });
});

describe('subscription options (cli §12.1)', () => {
  test('MQTT 5 asks for what was given, MQTT 3 has only QoS', () => {
    const wanted = { qos: 1, retainAsPublished: true, retainHandling: 2 } as const;
    expect(subscriptionRequests(settings({ ...wanted, protocolVersion: 5 }, 'a'))).toEqual([
      { filter: 'a', qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 2 },
    ]);
    expect(subscriptionRequests(settings(wanted, 'a'))).toEqual([
      { filter: 'a', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
    ]);
  });
});
