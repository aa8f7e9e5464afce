import { endOf, LongWay, pathOf, RetainedLevel, type Way, wayTo } from './retained-level.js';

const SLASH = 0x2f;

/** Where a topic ends; the place is made if it is not there. */
export function placeOf(root: RetainedLevel, topic: string): RetainedLevel {
  let level = root;
  for (let at = 0; at <= topic.length; ) {
    const slash = topic.indexOf('/', at);
    const name = topic.slice(at, slash < 0 ? topic.length : slash);
    level.children ??= new Map();
    const way = level.children.get(name);
    if (way === undefined) {
      const leaf = new RetainedLevel();
      level.children.set(name, wayTo(leaf, slash < 0 ? undefined : topic.slice(slash + 1)));
      return leaf;
    }
    at = slash < 0 ? topic.length + 1 : slash + 1;
    if (way instanceof LongWay) {
      const same = sameLevels(way.path, topic, at);
      level = same === way.path.length ? way.level : part(level.children, name, way, same);
      if (same >= 0) at += same + 1;
    } else level = way;
  }
  return level;
}

/** The places on the way to the end of a topic, root and end included; undefined where it does not end in the tree. */
export function placesTo(root: RetainedLevel, topic: string): Stop[] | undefined {
  const stops: Stop[] = [{ name: '', level: root }];
  let level = root;
  for (let at = 0; at <= topic.length; ) {
    const slash = topic.indexOf('/', at);
    const name = topic.slice(at, slash < 0 ? topic.length : slash);
    const way = level.children?.get(name);
    if (way === undefined) return undefined;
    at = slash < 0 ? topic.length + 1 : slash + 1;
    if (way instanceof LongWay) {
      if (sameLevels(way.path, topic, at) !== way.path.length) return undefined;
      at += way.path.length + 1;
    }
    level = endOf(way);
    stops.push({ name, level });
  }
  return stops;
}

/** A place on the way to another one, and the key by which it stands in the place before. */
export interface Stop {
  readonly name: string;
  readonly level: RetainedLevel;
}

/** Takes away what is not needed any more of the way to a place whose message is gone. */
export function tidy(stops: readonly Stop[]): void {
  for (let index = stops.length - 1; index > 0; index--) {
    const { name, level } = stops[index] as Stop;
    if (level.message !== undefined) return;
    const above = (stops[index - 1] as Stop).level;
    const siblings = above.children as Map<string, Way>;
    if (level.children === undefined) {
      siblings.delete(name);
      if (siblings.size === 0) above.children = undefined;
    } else {
      if (level.children.size === 1) join(siblings, name, level.children);
      return;
    }
  }
}

/** How many places there are. */
export function countPlaces(level: RetainedLevel): number {
  let count = 1;
  if (level.children !== undefined)
    for (const child of level.children.values()) count += countPlaces(endOf(child));
  return count;
}

/**
 * Characters of the whole levels at the beginning of a path that stand in the topic from `at` on, up to the slash that
 * follows; -1: not even the first level does.
 */
function sameLevels(path: string, topic: string, at: number): number {
  let same = -1;
  if (at > topic.length) return same;
  for (let index = 0; ; index++) {
    const inPath = index < path.length ? path.charCodeAt(index) : SLASH;
    const inTopic = at + index < topic.length ? topic.charCodeAt(at + index) : SLASH;
    if (inPath !== inTopic) return same;
    if (inPath !== SLASH) continue;
    same = index;
    if (index === path.length || at + index === topic.length) return same;
  }
}

/** Makes a place in the middle of a way, behind the first `same` characters of its path, or behind its first level. */
function part(siblings: Map<string, Way>, name: string, way: LongWay, same: number): RetainedLevel {
  const between = new RetainedLevel();
  const { path } = way;
  const rest = path.slice(same + 1);
  const slash = rest.indexOf('/');
  const first = slash < 0 ? rest : rest.slice(0, slash);
  between.children = new Map([[first, wayTo(way.level, slash < 0 ? undefined : rest.slice(slash + 1))]]);
  siblings.set(name, wayTo(between, same < 0 ? undefined : path.slice(0, same)));
  return between;
}

/** Makes one way of the way to a place and the only one that goes on from there. */
function join(siblings: Map<string, Way>, name: string, children: ReadonlyMap<string, Way>): void {
  const [[next, onward]] = children as unknown as [[string, Way]];
  const paths = [pathOf(siblings.get(name) as Way), next, pathOf(onward)];
  siblings.set(name, new LongWay(paths.filter((path) => path !== undefined).join('/'), endOf(onward)));
}
