/** What is to be done now. */
export const KeepAliveAction = { NOTHING: 0, PING: 1, DEAD: 2 } as const;
export type KeepAliveAction = (typeof KeepAliveAction)[keyof typeof KeepAliveAction];

/** When to send PINGREQ and when to give the peer up (3.1.2.10). Times are milliseconds of any clock that never steps back. */
export class KeepAlive {
  #interval = 0;
  #lastSent = 0;
  #lastReceived = 0;
  /** Since when PINGRESP is waited for. */
  #waitingSince: number | undefined;
  #pingOnWire = false;

  /** @param seconds 0 switches it off. */
  start(seconds: number, now: number): void {
    this.#interval = seconds * 1000;
    this.#lastSent = now;
    this.#lastReceived = now;
    this.#waitingSince = undefined;
  }

  /** The kernel took output; `idle`: all there was. */
  sent(now: number, idle: boolean): void {
    this.#lastSent = now;
    if (this.#waitingSince === undefined || this.#pingOnWire) return;
    // PINGREQ stood behind other output: the wait starts when it is out.
    this.#waitingSince = now;
    this.#pingOnWire = idle;
  }

  received(now: number): void {
    this.#lastReceived = now;
  }

  pingresp(): void {
    this.#waitingSince = undefined;
  }

  /**
   * @param idle No output waits. While some does, silence of the peer is no news: it may be slow to read.
   * @param paused We do not read, so a PINGRESP could not have been seen.
   */
  check(now: number, idle: boolean, paused: boolean): KeepAliveAction {
    if (this.#interval === 0) return KeepAliveAction.NOTHING;
    if (this.#waitingSince !== undefined) {
      // PINGRESP may stand behind megabytes of messages: while some of them arrive, the peer is alive.
      this.#waitingSince = paused ? now : Math.max(this.#waitingSince, this.#lastReceived);
      if (now - this.#waitingSince >= this.#interval) return KeepAliveAction.DEAD;
      // The server goes by what we send, whatever we read [MQTT-3.1.2-20].
      if (!idle || !this.#pingOnWire || now - this.#lastSent < this.#interval) return KeepAliveAction.NOTHING;
      this.#pingOnWire = false;
      return KeepAliveAction.PING;
    }
    if (now - this.#quietSince(idle) < this.#interval) return KeepAliveAction.NOTHING;
    this.#waitingSince = now;
    this.#pingOnWire = false;
    return KeepAliveAction.PING;
  }

  /** Milliseconds until output that does not get out is to be given up; Infinity where keep-alive is off. */
  patience(now: number): number {
    return this.#interval === 0 ? Number.POSITIVE_INFINITY : this.#lastSent + this.#interval - now;
  }

  /** Milliseconds until `check()` may have something to say; Infinity where keep-alive is off. */
  next(now: number, idle: boolean): number {
    if (this.#interval === 0) return Number.POSITIVE_INFINITY;
    const since = this.#waitingSince ?? this.#quietSince(idle);
    return (idle ? Math.min(since, this.#lastSent) : since) + this.#interval - now;
  }

  #quietSince(idle: boolean): number {
    return idle ? Math.min(this.#lastSent, this.#lastReceived) : this.#lastSent;
  }
}
