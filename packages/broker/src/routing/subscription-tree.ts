import { SharedGroup } from './shared-group.js';
import type { Subscription } from './subscription.js';

/** Who gets a message to one topic. */
export interface Route {
  /** In the order literal level, `+`, `#` (broker §9.9). */
  readonly subscriptions: readonly Subscription[];
  readonly groups: readonly SharedGroup[];
}

class Level {
  children: Map<string, Level> | undefined;
  subscriptions: Subscription[] = [];
  groups: Map<string, SharedGroup> | undefined;

  get empty(): boolean {
    return this.subscriptions.length === 0 && this.groups === undefined && this.children === undefined;
  }
}

/** Routes remembered at a time; beyond it they are found anew. */
const LARGEST_CACHE = 16_384;
/** Longest topic whose route is remembered, in characters: bounds the memory that a hostile publisher can take. */
const LONGEST_CACHED = 512;

/**
 * All subscriptions, by the levels of their Topic Filters (4.7), wildcards included [MQTT311-3.8.3-2]. Matching walks the
 * levels of the topic as they are [MQTT-4.7.3-4] [MQTT311-4.7.3-4]; what it finds is remembered by topic until any
 * subscription changes.
 */
export class SubscriptionTree {
  readonly #root = new Level();
  #routes = new Map<string, Route>();
  #count = 0;
  #shared = 0;

  /** Number of subscriptions, shared ones included. */
  get size(): number {
    return this.#count;
  }

  /** Number of Shared Subscriptions: members of groups. */
  get shared(): number {
    return this.#shared;
  }

  /** Levels held: the memory that the tree takes. */
  get levels(): number {
    return countLevels(this.#root);
  }

  /** @param share Share Name for a Shared Subscription. */
  add(subscription: Subscription, share: string | undefined): void {
    let level = this.#root;
    for (const name of subscription.filter.split('/')) {
      level.children ??= new Map();
      let next = level.children.get(name);
      if (next === undefined) {
        next = new Level();
        level.children.set(name, next);
      }
      level = next;
    }
    if (share === undefined) level.subscriptions.push(subscription);
    else {
      level.groups ??= new Map();
      let group = level.groups.get(share);
      if (group === undefined) {
        group = new SharedGroup(share, subscription.filter);
        level.groups.set(share, group);
      }
      group.members.push(subscription);
      subscription.group = group;
      this.#shared++;
    }
    this.#count++;
    this.#forgetRoutes();
  }

  remove(subscription: Subscription): void {
    if (this.#remove(this.#root, subscription.filter.split('/'), 0, subscription)) {
      this.#count--;
      if (subscription.group !== undefined) this.#shared--;
      this.#forgetRoutes();
    }
  }

  #remove(level: Level, names: readonly string[], depth: number, subscription: Subscription): boolean {
    if (depth === names.length) return removeFrom(level, subscription);
    const name = names[depth] as string;
    const child = level.children?.get(name);
    if (child === undefined || !this.#remove(child, names, depth + 1, subscription)) return false;
    if (child.empty) {
      level.children?.delete(name);
      if (level.children?.size === 0) level.children = undefined;
    }
    return true;
  }

  /** Visits every level, parents first, in the order in which they came to be. */
  walk(visit: (depth: number, name: string, subscriptions: readonly Subscription[]) => void): void {
    walkLevels(this.#root, 0, visit);
  }

  #forgetRoutes(): void {
    if (this.#routes.size > 0) this.#routes = new Map();
  }

  /** Everybody whose filter matches the Topic Name. */
  match(topic: string): Route {
    const known = this.#routes.get(topic);
    if (known !== undefined) return known;
    const subscriptions: Subscription[] = [];
    const groups: SharedGroup[] = [];
    const dollar = topic.startsWith('$');
    collect(this.#root, topic.split('/'), 0, dollar, subscriptions, groups);
    // Shared subscriptions never match topics that start with `$` (broker §9.9).
    const route = { subscriptions, groups: dollar ? [] : groups };
    if (topic.length > LONGEST_CACHED) return route;
    if (this.#routes.size >= LARGEST_CACHE) this.#routes = new Map();
    this.#routes.set(topic, route);
    return route;
  }
}

function countLevels(level: Level): number {
  let count = 1;
  if (level.children !== undefined) for (const child of level.children.values()) count += countLevels(child);
  return count;
}

function walkLevels(level: Level, depth: number, visit: Parameters<SubscriptionTree['walk']>[0]): void {
  if (level.children === undefined) return;
  for (const [name, child] of level.children) {
    const shared = [...(child.groups?.values() ?? [])].flatMap(({ members }) => members);
    visit(depth, name, [...child.subscriptions, ...shared]);
    walkLevels(child, depth + 1, visit);
  }
}

function removeFrom(level: Level, subscription: Subscription): boolean {
  const group = subscription.group;
  if (group !== undefined) {
    if (!group.remove(subscription)) return false;
    if (group.members.length === 0) {
      level.groups?.delete(group.name);
      if (level.groups?.size === 0) level.groups = undefined;
    }
    return true;
  }
  const index = level.subscriptions.indexOf(subscription);
  if (index < 0) return false;
  level.subscriptions.splice(index, 1);
  return true;
}

function collect(
  level: Level,
  names: readonly string[],
  depth: number,
  dollar: boolean,
  subscriptions: Subscription[],
  groups: SharedGroup[],
): void {
  const children = level.children;
  if (depth === names.length) {
    take(level, subscriptions, groups);
    // `a/#` matches `a` too (4.7.1.2).
    const rest = children?.get('#');
    if (rest !== undefined) take(rest, subscriptions, groups);
    return;
  }
  if (children === undefined) return;
  const name = names[depth] as string;
  const literal = children.get(name);
  if (literal !== undefined) collect(literal, names, depth + 1, dollar, subscriptions, groups);
  // [MQTT-4.7.2-1] [MQTT311-4.7.2-1]: a wildcard does not match the first level of a topic that starts with `$`.
  if (depth === 0 && dollar) return;
  const any = children.get('+');
  if (any !== undefined) collect(any, names, depth + 1, dollar, subscriptions, groups);
  const rest = children.get('#');
  if (rest !== undefined) take(rest, subscriptions, groups);
}

function take(level: Level, subscriptions: Subscription[], groups: SharedGroup[]): void {
  for (const subscription of level.subscriptions) subscriptions.push(subscription);
  if (level.groups === undefined) return;
  for (const group of level.groups.values()) groups.push(group);
}
