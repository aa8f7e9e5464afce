import type { Received } from './soak-client.js';

/**
 * What one subscriber has got, held against the promises: payloads are `publisher qos number`, numbered for each
 * publisher, topic and QoS.
 */
export class Ledger {
  readonly #times = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly faults: string[] = [];
  messages = 0;

  constructor(
    readonly name: string,
    /** At which it has subscribed. */
    readonly qos: number,
  ) {}

  add({ topic, payload, qos }: Received): void {
    const [publisher, published, number] = payload.split(' ');
    if (number === undefined) return;
    this.messages++;
    const times = (this.#times.get(payload) ?? 0) + 1;
    this.#times.set(payload, times);
    // At QoS 1 a message may come again; then its place in the order is that of the first time.
    if (times > 1) {
      if (qos === 2) this.faults.push(`${this.name}: "${payload}" came ${times} times`);
      return;
    }
    const stream = `${topic} ${publisher} ${published}`;
    const last = this.#last.get(stream) ?? -1;
    if (Number(number) <= last) this.faults.push(`${this.name}: "${payload}" came after number ${last}`);
    this.#last.set(stream, Number(number));
  }

  has(payload: string): boolean {
    return this.#times.has(payload);
  }
}
