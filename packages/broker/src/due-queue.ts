/** Something that falls due at a time. */
export interface Due {
  /** Milliseconds since 1970. */
  dueAt: number;
  /** Where it stands in the queue, -1 outside of it. The queue's own. */
  duePosition: number;
}

/**
 * What falls due, earliest first: a binary heap, in which everything knows its place, so that it can be taken out as
 * well. A sweep looks at what is due and at one more, however much there is.
 */
export class DueQueue<T extends Due> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** Puts it in, or moves it to another time. */
  set(item: T, dueAt: number): void {
    item.dueAt = dueAt;
    if (item.duePosition < 0) {
      item.duePosition = this.#heap.length;
      this.#heap.push(item);
    }
    this.#settle(item);
  }

  /** Takes it out, if it is in. */
  delete(item: T): void {
    const position = item.duePosition;
    if (position < 0) return;
    item.duePosition = -1;
    const last = this.#heap.pop() as T;
    if (last === item) return;
    this.#place(last, position);
    this.#settle(last);
  }

  /** Takes the earliest out, if it is due by now. */
  take(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueAt > now) return undefined;
    this.delete(first);
    return first;
  }

  #place(item: T, position: number): void {
    this.#heap[position] = item;
    item.duePosition = position;
  }

  /** Moves it up or down to where its time belongs. */
  #settle(item: T): void {
    const heap = this.#heap;
    let position = item.duePosition;
    while (position > 0) {
      const above = heap[(position - 1) >> 1] as T;
      if (above.dueAt <= item.dueAt) break;
      const to = above.duePosition;
      this.#place(above, position);
      position = to;
    }
    for (;;) {
      const left = heap[2 * position + 1];
      if (left === undefined) break;
      const right = heap[2 * position + 2];
      const below = right !== undefined && right.dueAt < left.dueAt ? right : left;
      if (below.dueAt >= item.dueAt) break;
      const to = below.duePosition;
      this.#place(below, position);
      position = to;
    }
    this.#place(item, position);
  }
}
