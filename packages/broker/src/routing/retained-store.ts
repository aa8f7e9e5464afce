import type { Message } from './message.js';

class Level {
  children: Map<string, Level> | undefined;
  message: Message | undefined;
}

/** Retained messages, one a topic (3.3.1.3), by the levels of their Topic Names. */
export class RetainedStore {
  readonly #root = new Level();
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /** Takes the place of what the topic had [MQTT-3.3.1-5]; an empty payload removes it [MQTT-3.3.1-6] [MQTT-3.3.1-7]. */
  publish(message: Message): void {
    if (message.frame.payloadLength === 0) this.#remove(this.#root, message.topic.split('/'), 0);
    else this.#set(message.detached());
  }

  #set(message: Message): void {
    let level = this.#root;
    for (const name of message.topic.split('/')) {
      level.children ??= new Map();
      let next = level.children.get(name);
      if (next === undefined) {
        next = new Level();
        level.children.set(name, next);
      }
      level = next;
    }
    if (level.message === undefined) this.#count++;
    else level.message.retained = false;
    level.message = message;
    message.retained = true;
  }

  /** True where the child has become empty. */
  #remove(level: Level, names: readonly string[], depth: number): boolean {
    if (depth === names.length) {
      if (level.message !== undefined) {
        level.message.retained = false;
        level.message = undefined;
        this.#count--;
      }
    } else {
      const name = names[depth] as string;
      const child = level.children?.get(name);
      if (child !== undefined && this.#remove(child, names, depth + 1)) {
        level.children?.delete(name);
        if (level.children?.size === 0) level.children = undefined;
      }
    }
    return level.message === undefined && level.children === undefined;
  }

  /** Removes what has expired. */
  expire(now: number): void {
    for (const message of this.matching('#', false)) {
      if (message.expiresAt <= now) this.#remove(this.#root, message.topic.split('/'), 0);
    }
  }

  /**
   * Retained messages whose topic the filter matches, as they stand now.
   *
   * @param hideDollar A leading wildcard leaves topics that start with `$` out [MQTT-4.7.2-1].
   */
  matching(filter: string, hideDollar = true): Message[] {
    const found: Message[] = [];
    collect(this.#root, filter.split('/'), 0, hideDollar, found);
    return found;
  }
}

function collect(
  level: Level,
  names: readonly string[],
  depth: number,
  hideDollar: boolean,
  found: Message[],
): void {
  const name = names[depth];
  if (name === undefined) {
    if (level.message !== undefined) found.push(level.message);
    return;
  }
  if (name === '#') {
    everything(level, depth === 0 && hideDollar, found);
    return;
  }
  if (name !== '+') {
    const child = level.children?.get(name);
    if (child !== undefined) collect(child, names, depth + 1, hideDollar, found);
    return;
  }
  if (level.children === undefined) return;
  for (const [key, child] of level.children) {
    if (depth === 0 && hideDollar && key.startsWith('$')) continue;
    collect(child, names, depth + 1, hideDollar, found);
  }
}

function everything(level: Level, hideDollar: boolean, found: Message[]): void {
  if (level.message !== undefined) found.push(level.message);
  if (level.children === undefined) return;
  for (const [key, child] of level.children) {
    if (hideDollar && key.startsWith('$')) continue;
    everything(child, false, found);
  }
}
