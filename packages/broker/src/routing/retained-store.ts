import type { Message } from './message.js';

class Level {
  children: Map<string, Level> | undefined;
  message: Message | undefined;
}

/** Retained messages, one a topic (3.3.1.3), by the levels of their Topic Names. */
export class RetainedStore {
  readonly #root = new Level();
  /** Those that will expire; few, so that a sweep does not look at every message. */
  readonly #expiring = new Set<Message>();
  #count = 0;
  #bytes = 0;

  get size(): number {
    return this.#count;
  }

  /** Bytes of the payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Levels held: the memory that the store takes. */
  get levels(): number {
    return countLevels(this.#root);
  }

  /**
   * Takes the place of what the topic had [MQTT-3.3.1-5] [MQTT311-3.3.1-5] [MQTT311-3.3.1-7]; an empty payload removes it
   * and is not stored [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT311-3.3.1-10] [MQTT311-3.3.1-11]. Belongs to no session, so no
   * session's end removes it [MQTT311-3.1.2-7].
   */
  publish(message: Message): void {
    if (message.frame.payloadLength === 0) this.clear(message.topic);
    else this.#set(message.detached());
  }

  /** Removes what the topic has. */
  clear(topic: string): void {
    this.#remove(this.#root, topic.split('/'), 0);
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
    this.#take(level);
    level.message = message;
    message.retained = true;
    this.#count++;
    this.#bytes += message.frame.payloadLength;
    if (message.expiresAt !== Number.POSITIVE_INFINITY) this.#expiring.add(message);
  }

  /** Takes the message of a level out. */
  #take(level: Level): void {
    const { message } = level;
    if (message === undefined) return;
    message.retained = false;
    level.message = undefined;
    this.#count--;
    this.#bytes -= message.frame.payloadLength;
    this.#expiring.delete(message);
  }

  /** True where the child has become empty. */
  #remove(level: Level, names: readonly string[], depth: number): boolean {
    if (depth === names.length) {
      this.#take(level);
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
    for (const message of this.#expiring) {
      if (message.expiresAt <= now) this.clear(message.topic);
    }
  }

  /**
   * Retained messages whose topic the filter matches, as they stand now; `$` topics not by a wildcard
   * [MQTT-4.7.2-1] [MQTT311-4.7.2-1].
   */
  matching(filter: string): Message[] {
    const found: Message[] = [];
    collect(this.#root, filter.split('/'), 0, found);
    return found;
  }
}

function countLevels(level: Level): number {
  let count = 1;
  if (level.children !== undefined) for (const child of level.children.values()) count += countLevels(child);
  return count;
}

function collect(level: Level, names: readonly string[], depth: number, found: Message[]): void {
  const name = names[depth];
  if (name === undefined) {
    if (level.message !== undefined) found.push(level.message);
    return;
  }
  if (name === '#') {
    everything(level, depth === 0, found);
    return;
  }
  if (name !== '+') {
    const child = level.children?.get(name);
    if (child !== undefined) collect(child, names, depth + 1, found);
    return;
  }
  if (level.children === undefined) return;
  for (const [key, child] of level.children) {
    if (depth === 0 && key.startsWith('$')) continue;
    collect(child, names, depth + 1, found);
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
