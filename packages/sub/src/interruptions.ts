import { after, type Io } from '@tsmqtt/cli-kit';

/** What may end a run from outside: SIGINT, SIGTERM and the time limit of `-W` (cli §12.8). */
export class Interruptions {
  readonly #ignoreSignals: readonly (() => void)[];
  readonly #onTimeout: () => void;
  #cancelTimeout: (() => void) | undefined;

  constructor(io: Io, onSignal: () => void, onTimeout: () => void) {
    this.#onTimeout = onTimeout;
    this.#ignoreSignals = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
      io.onSignal(signal, () => {
        // Who insists with a second signal does not wait for the broker or the reader of stdout.
        this.#leaveSignals();
        onSignal();
      }),
    );
  }

  /** The time limit runs from the first call on, over every reconnection. */
  startTimeout(seconds: number | undefined): void {
    if (seconds === undefined || this.#cancelTimeout !== undefined) return;
    this.#cancelTimeout = after(seconds * 1000, this.#onTimeout);
  }

  stop(): void {
    this.#cancelTimeout?.();
    this.#leaveSignals();
  }

  #leaveSignals(): void {
    for (const ignore of this.#ignoreSignals) ignore();
  }
}
