import { readFileSync } from 'node:fs';
import { matches } from '@tsmqtt/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Session } from '../session/session.js';
import { Subscription } from './subscription.js';
import { SubscriptionTree } from './subscription-tree.js';

interface MatchVector {
  readonly filter: string;
  readonly topic: string;
  readonly matches: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../protocol/vectors/topics.json', import.meta.url), 'utf8'),
) as { readonly matches: readonly MatchVector[] };

// The tree never looks at the session.
const session = {} as Session;

function add(tree: SubscriptionTree, filter: string, share?: string): Subscription {
  const subscription = new Subscription(session, filter);
  tree.add(subscription, share);
  return subscription;
}

const filters = (tree: SubscriptionTree, topic: string): string[] =>
  tree.match(topic).subscriptions.map((subscription) => subscription.filter);

describe('the vectors of the matcher', () => {
  for (const { filter, topic, matches } of vectors.matches) {
    it(`${JSON.stringify(filter)} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(topic)}`, () => {
      const tree = new SubscriptionTree();
      const subscription = add(tree, filter);
      expect(tree.match(topic).subscriptions).toEqual(matches ? [subscription] : []);
    });
  }

  it('hold for all of them in one tree', () => {
    const tree = new SubscriptionTree();
    const all = [...new Set(vectors.matches.map(({ filter }) => filter))];
    for (const filter of all) add(tree, filter);
    for (const { filter, topic, matches } of vectors.matches) {
      expect({ filter, topic, matches: filters(tree, topic).includes(filter) }).toEqual({
        filter,
        topic,
        matches,
      });
    }
  });
});

describe('order', () => {
  it('is literal level, then +, then #, at every level (broker §9.9)', () => {
    const tree = new SubscriptionTree();
    for (const filter of ['#', '+/#', '+/+', '+/b', 'a/#', 'a/+', 'a/b', 'a/b/#']) add(tree, filter);
    expect(filters(tree, 'a/b')).toEqual(['a/b', 'a/b/#', 'a/+', 'a/#', '+/b', '+/+', '+/#', '#']);
  });

  it('is the order of subscribing for the same filter', () => {
    const tree = new SubscriptionTree();
    const all = [add(tree, 'a'), add(tree, 'a'), add(tree, 'a')];
    expect(tree.match('a').subscriptions).toEqual(all);
  });
});

describe('removal', () => {
  it('leaves nothing behind', () => {
    const tree = new SubscriptionTree();
    const all = vectors.matches.map(({ filter }, index) =>
      add(tree, filter, index % 3 === 0 ? `group${index % 2}` : undefined),
    );
    expect(tree.size).toBe(all.length);
    for (const subscription of all) tree.remove(subscription);
    expect(tree.size).toBe(0);
    for (const { topic } of vectors.matches) {
      expect(tree.match(topic)).toEqual({ subscriptions: [], groups: [] });
    }
    // The same structure as one that never had any.
    expect(tree.places).toBe(new SubscriptionTree().places);
  });

  it('takes the one and leaves the others of the same filter', () => {
    const tree = new SubscriptionTree();
    const [one, two, three] = [add(tree, 'a/+'), add(tree, 'a/+'), add(tree, 'a/+', 'g')];
    tree.remove(one);
    expect(tree.match('a/b').subscriptions).toEqual([two]);
    expect(tree.match('a/b').groups[0]?.members).toEqual([three]);
  });

  it('of what is not there changes nothing', () => {
    const tree = new SubscriptionTree();
    const kept = [add(tree, 'a/b'), add(tree, 'a', 'g')];
    const gone = [add(tree, 'a/b/c'), add(tree, 'a', 'g'), add(tree, 'b', 'g')];
    for (const subscription of [...gone, ...gone]) tree.remove(subscription);
    tree.remove(new Subscription(session, 'a/b'));
    tree.remove(new Subscription(session, 'x/y'));
    expect(tree.size).toBe(2);
    expect(tree.match('a/b').subscriptions).toEqual([kept[0]]);
    expect(tree.match('a').groups[0]?.members).toEqual([kept[1]]);
  });

  it('keeps levels that others go through', () => {
    const tree = new SubscriptionTree();
    const inner = add(tree, 'a/b');
    add(tree, 'a/b/c');
    tree.remove(inner);
    expect(filters(tree, 'a/b/c')).toEqual(['a/b/c']);
    expect(filters(tree, 'a/b')).toEqual([]);
  });
});

describe('memory', () => {
  const deep = (first: string, last: string): string =>
    [first, ...new Array<string>(198).fill('x'), last].join('/');

  it('goes by filters and not by their levels', () => {
    const tree = new SubscriptionTree();
    for (let index = 0; index < 100; index++) {
      add(tree, deep(String(index), 'a'));
      add(tree, deep(String(index), 'b'));
    }
    expect(tree.size).toBe(200);
    expect(tree.places).toBe(1 + 300);
    expect(filters(tree, deep('7', 'a'))).toEqual([deep('7', 'a')]);
  });

  it('of what parted is given back when it does not part any more', () => {
    const tree = new SubscriptionTree();
    const [first, ...others] = Array.from({ length: 200 }, (_, index) =>
      add(tree, [...new Array<string>(index).fill('x'), 'y'].join('/')),
    );
    expect(tree.places).toBe(400 - 1);
    for (const other of others) tree.remove(other);
    expect(tree.places).toBe(2);
    tree.remove(first!);
    expect(tree.places).toBe(1);
  });
});

it('finds what the matcher says, whatever is added and removed', () => {
  const levels = (names: readonly string[]) =>
    fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 });
  const filter = fc
    .tuple(levels(['a', 'b', '', '+', '$c', 'aa']), fc.boolean())
    .map(([names, hash]) => [...names, ...(hash ? ['#'] : [])].join('/'))
    .filter((text) => text !== '');
  const topic = levels(['a', 'b', '', '$c', 'aa'])
    .map((names) => names.join('/'))
    .filter((text) => text !== '');
  const step = fc.record({ filter, removes: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.array(topic, { minLength: 1 }), (steps, topics) => {
      const tree = new SubscriptionTree();
      const there: Subscription[] = [];
      for (const { filter: text, removes } of steps) {
        if (removes === undefined || there.length === 0) there.push(add(tree, text));
        else tree.remove(there.splice(removes % there.length, 1)[0]!);
      }
      expect(tree.size).toBe(there.length);
      expect(tree.places).toBeLessThanOrEqual(1 + 2 * there.length);
      for (const text of topics) {
        const expected = there.filter((one) => matches(one.filter, text));
        expect(new Set(tree.match(text).subscriptions)).toEqual(new Set(expected));
        expect(tree.match(text).subscriptions).toHaveLength(expected.length);
      }
    }),
  );
});

describe('remembered routes', () => {
  it('know of a subscription that is added and one that is removed', () => {
    const tree = new SubscriptionTree();
    expect(filters(tree, 'a/b')).toEqual([]);
    const plus = add(tree, 'a/+');
    expect(filters(tree, 'a/b')).toEqual(['a/+']);
    add(tree, '#');
    expect(filters(tree, 'a/b')).toEqual(['a/+', '#']);
    tree.remove(plus);
    expect(filters(tree, 'a/b')).toEqual(['#']);
  });

  it('are found anew beyond the bound', () => {
    const tree = new SubscriptionTree();
    add(tree, 'a/+');
    for (let index = 0; index < 20_000; index++)
      expect(tree.match(`a/${index}`).subscriptions.length).toBe(1);
    expect(filters(tree, 'a/0')).toEqual(['a/+']);
  });

  it('have a bound for what is in all of them together', () => {
    const tree = new SubscriptionTree();
    for (let index = 0; index < 1000; index++) add(tree, '#');
    const first = tree.match('first');
    for (let index = 0; index < 500; index++)
      expect(tree.match(`a/${index}`).subscriptions).toHaveLength(1000);
    expect(tree.match('first')).toBe(first);
    for (let index = 500; index < 600; index++) tree.match(`a/${index}`);
    expect(tree.match('first')).not.toBe(first);
    expect(tree.match('first')).toEqual(first);
  });

  it('are not kept for long topics, whose number times length would be without bound', () => {
    const tree = new SubscriptionTree();
    add(tree, '#');
    const long = 'x'.repeat(60_000);
    expect(tree.match('short')).toBe(tree.match('short'));
    expect(tree.match(long)).not.toBe(tree.match(long));
    expect(filters(tree, long)).toEqual(['#']);
  });
});

describe('shared subscriptions', () => {
  it('stand in groups, one for each name and filter', () => {
    const tree = new SubscriptionTree();
    const one = add(tree, 'a/+', 'g');
    const two = add(tree, 'a/+', 'g');
    const other = add(tree, 'a/+', 'h');
    const wide = add(tree, '#', 'g');
    expect(tree.match('a/b').subscriptions).toEqual([]);
    expect(tree.match('a/b').groups.map((group) => group.members)).toEqual([[one, two], [other], [wide]]);
  });

  it('to $ topics never match (broker §9.9)', () => {
    const tree = new SubscriptionTree();
    add(tree, '$foo/#', 'g');
    add(tree, '$foo/+', 'g');
    const plain = add(tree, '$foo/#');
    expect(tree.match('$foo/a')).toEqual({ subscriptions: [plain], groups: [] });
  });
});
