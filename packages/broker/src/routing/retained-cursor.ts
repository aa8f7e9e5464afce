import type { Message } from './message.js';
import { endOf, LongWay, type RetainedLevel, type Way } from './retained-level.js';

interface Branch {
  readonly children: Iterator<[string, Way]>;
  /** Which level of the filter the children are compared with. */
  readonly depth: number;
  readonly hidesDollar: boolean;
}

/**
 * Walks over the retained messages whose topic a filter matches, as they were when it was made: one level a step, so
 * that whoever asks decides how much work he does at a time, and with no memory but the path to where it is.
 *
 * Between steps the store may change at will. What was replaced or removed since is passed over, and so is what came
 * since: a message that was there from the beginning is in a place that stays the same, and is led to from the places that
 * the cursor has still to go to, also where these have left the tree meanwhile because nothing parts there any more.
 */
export class RetainedCursor {
  readonly #filter: string;
  /** Its levels; not before the first step, which may be long after SUBSCRIBE. */
  #names: readonly string[] | undefined;
  readonly #latest: number;
  readonly #branches: Branch[] = [];
  readonly #root: RetainedLevel;
  #level: RetainedLevel | undefined;
  #depth = 0;
  #done = false;

  /** @param latest The order of the last message that is to be found. */
  constructor(root: RetainedLevel, filter: string, latest: number) {
    this.#root = root;
    this.#level = root;
    this.#filter = filter;
    this.#latest = latest;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Goes one level on. The message that it found there, if any. */
  step(): Message | undefined {
    const level = this.#level;
    if (level === undefined) {
      this.#branchOn();
      return undefined;
    }
    this.#level = undefined;
    const depth = this.#depth;
    this.#names ??= this.#filter.split('/');
    const name = this.#names[depth];
    if (name === undefined) return this.#messageOf(level);
    if (name === '#') {
      this.#branch(level, depth);
      return this.#messageOf(level);
    }
    if (name === '+') this.#branch(level, depth + 1);
    else this.#enter(level.children?.get(name), depth + 1);
    return undefined;
  }

  #messageOf(level: RetainedLevel): Message | undefined {
    return level.order > this.#latest ? undefined : level.message;
  }

  #branch(level: RetainedLevel, depth: number): void {
    if (level.children === undefined) return;
    // [MQTT-4.7.2-1] [MQTT311-4.7.2-1]: a wildcard does not match the first level of a topic that starts with `$`.
    const hidesDollar = level === this.#root;
    this.#branches.push({ children: level.children.entries(), depth, hidesDollar });
  }

  #branchOn(): void {
    const branch = this.#branches.at(-1);
    if (branch === undefined) {
      this.#done = true;
      return;
    }
    const { done, value } = branch.children.next();
    if (done === true) {
      this.#branches.pop();
      return;
    }
    const [name, way] = value;
    if (branch.hidesDollar && name.startsWith('$')) return;
    this.#enter(way, branch.depth);
  }

  /** Goes to the end of a way whose first level matches, if the rest does. @param depth Of the filter behind that level. */
  #enter(way: Way | undefined, depth: number): void {
    if (way === undefined) return;
    const end = way instanceof LongWay ? follow(way.path, this.#names as readonly string[], depth) : depth;
    if (end < 0) return;
    this.#level = endOf(way);
    this.#depth = end;
  }
}

/** How far in the filter the levels of a path lead that stand behind `depth`; -1: they do not match. `#` takes all. */
function follow(path: string, names: readonly string[], depth: number): number {
  let at = depth;
  for (let from = 0; from <= path.length; ) {
    const name = names[at];
    if (name === '#') return at;
    if (name === undefined) return -1;
    const slash = path.indexOf('/', from);
    const to = slash < 0 ? path.length : slash;
    if (name !== '+' && (name.length !== to - from || !path.startsWith(name, from))) return -1;
    from = to + 1;
    at++;
  }
  return at;
}
