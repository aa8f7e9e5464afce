import type { SharedGroup } from './shared-group.js';
import type { Subscription } from './subscription.js';

/**
 * A place in the tree where filters end or part. The levels on the way there from the place above, where nothing ends or
 * parts, are no places of their own: there are at most twice as many places as filters, however many levels these have.
 */
export class Place {
  /** The levels that follow the first one, which is the key in `children` above; undefined: none. */
  path: string | undefined;
  children: Map<string, Place> | undefined;
  subscriptions: Subscription[] = [];
  groups: Map<string, SharedGroup> | undefined;

  constructor(path?: string) {
    this.path = path;
  }

  /** Whether any filter ends here. */
  get used(): boolean {
    return this.subscriptions.length > 0 || this.groups !== undefined;
  }
}

/** Levels in one string; undefined for none, since an empty string is one level that is empty. */
export function joined(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.join('/');
}

export function split(path: string | undefined): readonly string[] {
  return path === undefined ? [] : path.split('/');
}

/** Makes a place in the middle of the way to a child, after `same` levels of its path. */
export function part(
  siblings: Map<string, Place>,
  name: string,
  child: Place,
  path: readonly string[],
  same: number,
): Place {
  const between = new Place(joined(path.slice(0, same)));
  between.children = new Map([[path[same] as string, child]]);
  child.path = joined(path.slice(same + 1));
  siblings.set(name, between);
  return between;
}

/** Takes a place where no filter ends any more away, unless filters part there. */
export function tidy(above: Place, name: string, place: Place): void {
  if (place.children === undefined) {
    above.children?.delete(name);
    if (above.children?.size === 0) above.children = undefined;
  } else if (place.children.size === 1) {
    const [[key, child]] = place.children as unknown as [[string, Place]];
    child.path = joined([...split(place.path), key, ...split(child.path)]);
    above.children?.set(name, child);
  }
}

export function countPlaces(place: Place): number {
  let count = 1;
  if (place.children !== undefined) for (const child of place.children.values()) count += countPlaces(child);
  return count;
}
