/** What the broker has counted since it started. */
export class Counters {
  /** PUBLISH packets received. */
  received = 0;
  /** PUBLISH packets sent. */
  sent = 0;
  /** Messages dropped at a bound. */
  dropped = 0;
  /** Messages published that no subscription matched. */
  unmatched = 0;
}
