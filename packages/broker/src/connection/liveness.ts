/** Bytes of an incomplete packet that count as a sign of life (broker §9.6). */
const SIGN_OF_LIFE = 1000;

/**
 * When a peer was last heard of. Signs come by the million, so they are only noted; the sweep, once a second, dates
 * them. A silence is thereby found up to a second late, which the contract allows (broker §9.6).
 */
export class Liveness {
  #heard = false;
  #bytes = 0;
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  /** A whole packet came. */
  packet(): void {
    this.#heard = true;
    this.#bytes = 0;
  }

  /** Bytes came, of whatever. */
  bytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes >= SIGN_OF_LIFE) this.packet();
  }

  /** The peer was not listened to until now, so its silence says nothing. */
  excuse(now: number): void {
    this.#heard = false;
    this.#since = now;
  }

  /** Milliseconds since it was last heard of. */
  silence(now: number): number {
    if (this.#heard) this.excuse(now);
    return now - this.#since;
  }
}
