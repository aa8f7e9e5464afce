/** The time, as an argument, so that hours can pass in a test. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since whenever: how long work takes. Default: `performance.now()`. */
  steady?(): number;
}

/** Begins at the time of day and then runs on steadily: setting the machine's clock expires nobody. */
export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now() };
