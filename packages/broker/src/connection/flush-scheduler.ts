/** Something that has collected output. */
export interface Flushable {
  flush(): void;
}

/**
 * Calls everybody who has something to do once, at the end of the turn of the event loop: after all sockets that were
 * readable have been read, so that what they caused leaves in one write for each peer.
 */
export class FlushScheduler {
  #waiting: Flushable[] = [];
  #armed = false;
  readonly #run = (): void => {
    this.#armed = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.flush();
  };

  add(one: Flushable): void {
    this.#waiting.push(one);
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#run);
  }
}
