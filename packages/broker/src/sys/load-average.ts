/** How often a minute something happens, averaged so that what lies longer back counts less and less (broker §7). */
export class LoadAverage {
  value = 0;
  readonly #seconds: number;

  /** @param seconds The time after which what happened counts for 1/e. */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /**
   * @param count How often it has happened since the last update.
   * @param elapsed Seconds since the last update, more than 0.
   */
  update(count: number, elapsed: number): void {
    const perMinute = (count * 60) / elapsed;
    this.value = perMinute + Math.exp(-elapsed / this.#seconds) * (this.value - perMinute);
  }
}

/** Last level of the topic, and the time it averages over, in seconds. */
export const LOAD_WINDOWS = [
  { topic: '1min', seconds: 60 },
  { topic: '5min', seconds: 300 },
  { topic: '15min', seconds: 900 },
] as const;

/** The averages of one counter over all windows. */
export class Loads {
  readonly averages = LOAD_WINDOWS.map(({ topic, seconds }) => ({
    topic,
    average: new LoadAverage(seconds),
  }));
  #before = 0;

  /** @param total The counter as it stands. */
  update(total: number, elapsed: number): void {
    for (const { average } of this.averages) average.update(total - this.#before, elapsed);
    this.#before = total;
  }
}
