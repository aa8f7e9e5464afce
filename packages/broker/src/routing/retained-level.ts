import type { Due } from '../due-queue.js';
import type { Message } from './message.js';

/**
 * A place in the tree of retained messages where a topic ends or topics part, and the message of the topic that ends
 * there. It is the same object as long as it is there, whatever becomes of the way to it.
 */
export class RetainedLevel implements Due {
  /** By the name of the next level. */
  children: Map<string, Way> | undefined;
  message: Message | undefined;
  /** The store's count when the message came: tells earlier from later. */
  order = 0;
  /** When the message came, in milliseconds since 1970. */
  since = 0;
  /** When the message vanishes; Infinity: never. */
  dueAt = Number.POSITIVE_INFINITY;
  duePosition = -1;
}

/**
 * A way over several levels at which nothing ends or parts: those that follow the first one, which is the key above. A
 * tree has at most twice as many places as topics, however many levels these have. It never changes: another takes its
 * place, so that a cursor that was on it arrives where it leads.
 */
export class LongWay {
  constructor(
    readonly path: string,
    readonly level: RetainedLevel,
  ) {}
}

/** What leads from one place to the next: mostly a single level. */
export type Way = RetainedLevel | LongWay;

export function wayTo(level: RetainedLevel, path: string | undefined): Way {
  return path === undefined ? level : new LongWay(path, level);
}

export function endOf(way: Way): RetainedLevel {
  return way instanceof LongWay ? way.level : way;
}

/** The levels of a way behind its first one; undefined: there are none. An empty string is one level that is empty. */
export function pathOf(way: Way): string | undefined {
  return way instanceof LongWay ? way.path : undefined;
}
