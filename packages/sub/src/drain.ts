import { after, type Output } from '@tsmqtt/cli-kit';

/** How long a reader of stdout may take nothing; as long as pub drains (P-24). */
const PATIENCE_MS = 5000;

/** Watches over what stdout has still to take when a run is interrupted: a reader that is slow gets it all. */
export class Drain {
  readonly #output: Output;
  readonly #onStuck: () => void;
  #cancel = () => {};

  /** @param onStuck The reader does not read at all. */
  constructor(output: Output, onStuck: () => void) {
    this.#output = output;
    this.#onStuck = onStuck;
  }

  begin(): void {
    this.#cancel();
    const { idle, outstanding, unwritten } = this.#output;
    if (idle) return;
    this.#cancel = after(PATIENCE_MS, () => {
      // One write may be a message of megabytes, or all that has waited.
      if (this.#output.outstanding < outstanding || this.#output.unwritten < unwritten) this.begin();
      else this.#onStuck();
    });
  }

  cancel(): void {
    this.#cancel();
  }
}
