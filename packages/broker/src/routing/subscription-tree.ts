import { SharedGroup } from './shared-group.js';
import type { Subscription } from './subscription.js';
import { countPlaces, joined, Place, part, split, tidy } from './subscription-place.js';

/** Who gets a message to one topic. */
export interface Route {
  /** In the order literal level, `+`, `#` (broker §9.9). */
  readonly subscriptions: readonly Subscription[];
  readonly groups: readonly SharedGroup[];
}

const HASH = 0x23;
const PLUS = 0x2b;

/** Routes remembered at a time; beyond it they are found anew. */
const LARGEST_CACHE = 16_384;
/** Receivers in all of them together: a client may have very many filters that match very many topics. */
const MOST_RECEIVERS = 524_288;
/** Longest topic whose route is remembered, in characters: bounds the memory that a hostile publisher can take. */
const LONGEST_CACHED = 512;

/**
 * All subscriptions, by the levels of their Topic Filters (4.7), wildcards included [MQTT311-3.8.3-2]. Matching walks the
 * levels of the topic as they are [MQTT-4.7.3-4] [MQTT311-4.7.3-4]; what it finds is remembered by topic until any
 * subscription changes.
 */
export class SubscriptionTree {
  readonly #root = new Place();
  #routes = new Map<string, Route>();
  /** Subscriptions and groups in them. */
  #receivers = 0;
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

  /** Places held: the memory that the tree takes. */
  get places(): number {
    return countPlaces(this.#root);
  }

  /** @param share Share Name for a Shared Subscription. */
  add(subscription: Subscription, share: string | undefined): void {
    const place = this.#placeOf(subscription.filter);
    if (share === undefined) place.subscriptions.push(subscription);
    else {
      place.groups ??= new Map();
      let group = place.groups.get(share);
      if (group === undefined) {
        group = new SharedGroup(share, subscription.filter);
        place.groups.set(share, group);
      }
      group.members.push(subscription);
      subscription.group = group;
      this.#shared++;
    }
    this.#count++;
    this.#forgetRoutes();
  }

  /** Where a filter ends; made if it is not there. */
  #placeOf(filter: string): Place {
    const names = filter.split('/');
    let place = this.#root;
    let depth = 0;
    while (depth < names.length) {
      const name = names[depth++] as string;
      place.children ??= new Map();
      const child = place.children.get(name);
      if (child === undefined) {
        const leaf = new Place(joined(names.slice(depth)));
        place.children.set(name, leaf);
        return leaf;
      }
      const path = split(child.path);
      let same = 0;
      while (same < path.length && depth < names.length && path[same] === names[depth]) {
        same++;
        depth++;
      }
      place = same === path.length ? child : part(place.children, name, child, path, same);
    }
    return place;
  }

  remove(subscription: Subscription): void {
    if (this.#remove(this.#root, subscription.filter.split('/'), 0, subscription)) {
      this.#count--;
      if (subscription.group !== undefined) this.#shared--;
      this.#forgetRoutes();
    }
  }

  #remove(place: Place, names: readonly string[], depth: number, subscription: Subscription): boolean {
    if (depth === names.length) return removeFrom(place, subscription);
    const name = names[depth] as string;
    const child = place.children?.get(name);
    if (child === undefined) return false;
    const path = split(child.path);
    const next = depth + 1 + path.length;
    if (path.some((level, index) => level !== names[depth + 1 + index])) return false;
    if (!this.#remove(child, names, next, subscription)) return false;
    if (!child.used) tidy(place, name, child);
    return true;
  }

  /** Visits every level, parents first, in the order in which they came to be. */
  walk(visit: (depth: number, name: string, subscriptions: readonly Subscription[]) => void): void {
    walkPlaces(this.#root, 0, visit);
  }

  #forgetRoutes(): void {
    if (this.#routes.size === 0) return;
    this.#routes = new Map();
    this.#receivers = 0;
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
    const receivers = route.subscriptions.length + route.groups.length;
    if (topic.length > LONGEST_CACHED || receivers > MOST_RECEIVERS) return route;
    const full = this.#routes.size >= LARGEST_CACHE || this.#receivers + receivers > MOST_RECEIVERS;
    if (full) this.#forgetRoutes();
    this.#routes.set(topic, route);
    this.#receivers += receivers;
    return route;
  }
}

function walkPlaces(place: Place, depth: number, visit: Parameters<SubscriptionTree['walk']>[0]): void {
  if (place.children === undefined) return;
  for (const [name, child] of place.children) {
    const names = [name, ...split(child.path)];
    const last = names.length - 1;
    for (const [index, between] of names.slice(0, last).entries()) visit(depth + index, between, []);
    const shared = [...(child.groups?.values() ?? [])].flatMap(({ members }) => members);
    visit(depth + last, names[last] as string, [...child.subscriptions, ...shared]);
    walkPlaces(child, depth + last + 1, visit);
  }
}

function removeFrom(place: Place, subscription: Subscription): boolean {
  const group = subscription.group;
  if (group !== undefined) {
    if (!group.remove(subscription)) return false;
    if (group.members.length === 0) {
      place.groups?.delete(group.name);
      if (place.groups?.size === 0) place.groups = undefined;
    }
    return true;
  }
  const index = place.subscriptions.indexOf(subscription);
  if (index < 0) return false;
  place.subscriptions.splice(index, 1);
  return true;
}

/**
 * How many levels of the topic lie behind a place that is reached with `depth` levels matched: its path matches those
 * that follow. -1: it does not match. A path that ends in `#` takes all that is left, be it nothing (4.7.1.2).
 */
function follow(path: string, names: readonly string[], depth: number): number {
  let at = depth;
  for (let from = 0; from <= path.length; ) {
    const slash = path.indexOf('/', from);
    const to = slash < 0 ? path.length : slash;
    const single = to - from === 1 ? path.charCodeAt(from) : 0;
    if (single === HASH) return names.length;
    const name = names[at++];
    if (name === undefined) return -1;
    if (single !== PLUS && (name.length !== to - from || !path.startsWith(name, from))) return -1;
    from = to + 1;
  }
  return at;
}

/** @param depth Levels of the topic that are matched by the way to this place, its path aside. */
function collect(
  place: Place,
  names: readonly string[],
  depth: number,
  dollar: boolean,
  subscriptions: Subscription[],
  groups: SharedGroup[],
): void {
  const at = place.path === undefined ? depth : follow(place.path, names, depth);
  if (at < 0) return;
  const { children } = place;
  if (at === names.length) {
    take(place, subscriptions, groups);
    // `a/#` matches `a` too (4.7.1.2).
    const rest = children?.get('#');
    if (rest !== undefined) take(rest, subscriptions, groups);
    return;
  }
  if (children === undefined) return;
  const literal = children.get(names[at] as string);
  if (literal !== undefined) collect(literal, names, at + 1, dollar, subscriptions, groups);
  // [MQTT-4.7.2-1] [MQTT311-4.7.2-1]: a wildcard does not match the first level of a topic that starts with `$`.
  if (at === 0 && dollar) return;
  const any = children.get('+');
  if (any !== undefined) collect(any, names, at + 1, dollar, subscriptions, groups);
  const rest = children.get('#');
  if (rest !== undefined) take(rest, subscriptions, groups);
}

function take(place: Place, subscriptions: Subscription[], groups: SharedGroup[]): void {
  for (const subscription of place.subscriptions) subscriptions.push(subscription);
  if (place.groups === undefined) return;
  for (const group of place.groups.values()) groups.push(group);
}
