/** What is asked of `node:v8`. */
export interface Collector {
  setFlagsFromString(flags: string): void;
  getHeapSpaceStatistics(): readonly { readonly space_name: string; readonly space_size: number }[];
}

/** Of both semi-spaces together while the broker is busy, in bytes. */
const BUSY_SIZE = 4_194_304;
/** Busy: the share of the time in which the event loop had something to do. */
const BUSY = 0.1;
/** 64 KiB each. So many, at most, are made to have the space grow: a V8 that goes about it otherwise keeps what it has. */
const MOST_ARRAYS = 256;
const ARRAY_LENGTH = 8192;

/**
 * Keeps the young generation at its first size while there is little to do, whatever survives, and gives it 2 MiB a
 * semi-space while there is much; has it collected by the thread that waits for it (docs/decisions/0010).
 */
export class YoungGeneration {
  readonly #v8: Collector;

  constructor(v8: Collector) {
    this.#v8 = v8;
    // Two helpers for a MiB take longer to wake than to help, and the clients need the other processors.
    v8.setFlagsFromString('--no-parallel-scavenge');
    v8.setFlagsFromString('--no-concurrent-array-buffer-sweeping');
    v8.setFlagsFromString('--semi-space-growth-factor=1');
  }

  /**
   * To be called now and then: V8 takes back what it gave when it has been idle for some time.
   *
   * @param utilization Of the event loop since the last time, 0 to 1.
   */
  fit(utilization: number): void {
    if (utilization < BUSY || this.#size >= BUSY_SIZE) return;
    this.#v8.setFlagsFromString('--semi-space-growth-factor=2');
    // It grows when as much has survived as it holds, and in no other way once Node runs.
    const surviving: number[][] = [];
    while (this.#size < BUSY_SIZE && surviving.length < MOST_ARRAYS) {
      surviving.push(new Array<number>(ARRAY_LENGTH).fill(0));
    }
    this.#v8.setFlagsFromString('--semi-space-growth-factor=1');
  }

  get #size(): number {
    const space = this.#v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    return space?.space_size ?? BUSY_SIZE;
  }
}
