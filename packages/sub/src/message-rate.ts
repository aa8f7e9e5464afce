import type { Output } from '@tsmqtt/cli-kit';
import { Fate, type FateOf } from './message-filter.js';

const INTERVAL_MS = 1000;

/**
 * `--message-rate`: counts every message and does nothing else with it, and prints each second how many came in it
 * (cli §12.6, D-8).
 */
export class MessageRate {
  readonly #output: Output;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  readonly fateOf: FateOf = () => {
    this.#count++;
    return Fate.SKIP;
  };

  start(): void {
    this.#timer = setInterval(() => this.#print(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #print(): void {
    // Nobody reads: the lines of these seconds are not kept for later.
    if (!this.#output.blocked) {
      this.#output.text(`${this.#count} msgs/s\n`);
      this.#output.flush();
    }
    this.#count = 0;
  }
}
