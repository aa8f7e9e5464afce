import { after, type Settings } from '@tsmqtt/cli-kit';

/** How long QoS 0 lines wait for the connection after the end of input (P-24). */
const GIVE_UP_MS = 30_000;

/**
 * How long, and how often, a stream of lines is tried again (P-8, P-24). What counts is what gets through, not that a
 * connection is back: a broker may end every one of them at the same line.
 */
export class Perseverance {
  readonly #patience: number | undefined;
  readonly #giveUp: () => void;
  /** As of the last loss. */
  #settled: number | undefined;
  #fruitless = 0;
  #lost = false;
  #inputEnded = false;
  #impatient = false;
  #cancel: (() => void) | undefined;

  constructor({ giveUp, qos }: Settings, onGivingUp: () => void) {
    this.#patience = giveUp === undefined ? (qos === 0 ? GIVE_UP_MS : undefined) : giveUp * 1000;
    this.#giveUp = onGivingUp;
  }

  /** New connections in a row, up to the last, that were lost with messages in flight and had settled none. */
  get fruitless(): number {
    return this.#fruitless;
  }

  /** @param settled Messages so far, over all connections. */
  lost(settled: number, inFlight: number): void {
    this.#lost = true;
    if (settled !== this.#settled) {
      this.#settled = settled;
      this.#fruitless = 0;
      this.#startAnew();
    } else if (inFlight > 0) {
      this.#fruitless++;
    }
    this.#consider();
  }

  back(): void {
    this.#lost = false;
  }

  inputEnded(): void {
    this.#inputEnded = true;
    this.#consider();
  }

  /** Nothing waits any more. */
  over(): void {
    this.#cancel?.();
  }

  #startAnew(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#impatient = false;
  }

  /** After the end of input, what waits for the connection does not wait for ever. */
  #consider(): void {
    if (!this.#lost || !this.#inputEnded || this.#patience === undefined) return;
    if (this.#impatient) this.#giveUp();
    else this.#cancel ??= after(this.#patience, () => this.#timeIsUp());
  }

  #timeIsUp(): void {
    // A connection that is there may still bring an answer.
    if (this.#lost) this.#giveUp();
    else this.#impatient = true;
  }
}
