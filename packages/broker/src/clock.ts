/** The time, as an argument, so that hours can pass in a test. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const systemClock: Clock = { now: Date.now };
