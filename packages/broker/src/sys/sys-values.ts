import { getHeapStatistics } from 'node:v8';
import { Phase } from '../connection/phase.js';
import type { Engine } from '../engine.js';
import type { Message } from '../routing/message.js';

/** Messages that the broker holds. */
export interface StoreTally {
  readonly count: number;
  /** Of their payloads. */
  readonly bytes: number;
}

/** Output that clients have not taken. */
export interface WaitingTally {
  readonly packets: number;
  readonly bytes: number;
}

/** The state of a broker at one moment, for the rows of the table. What several rows need is found once. */
export class SysValues {
  #connected: number | undefined;
  #store: StoreTally | undefined;
  #waiting: WaitingTally | undefined;

  constructor(
    readonly engine: Engine,
    /** Milliseconds since 1970. */
    readonly now: number,
    /** Different for each reading of a broker. */
    readonly reading: number,
  ) {}

  /** Sessions whose client is connected. */
  get connectedSessions(): number {
    if (this.#connected === undefined) {
      let count = 0;
      for (const { phase } of this.engine.connections) if (phase === Phase.CONNECTED) count++;
      this.#connected = count;
    }
    return this.#connected;
  }

  /**
   * Retained messages and those that sessions hold, each once however many sessions hold it. Walks what is queued:
   * counting it message by message would cost every delivery something, and this is read every few seconds at most.
   */
  get store(): StoreTally {
    this.#store ??= this.#tally();
    return this.#store;
  }

  #tally(): StoreTally {
    const { reading } = this;
    const { retained, sessions } = this.engine;
    let count = retained.size;
    let { bytes } = retained;
    const add = (message: Message): void => {
      if (message.retained || message.countedIn === reading) return;
      message.countedIn = reading;
      count++;
      bytes += message.frame.payloadLength;
    };
    for (const session of sessions.values()) session.forEachMessage(add);
    return { count, bytes };
  }

  get waiting(): WaitingTally {
    if (this.#waiting === undefined) {
      let packets = 0;
      let bytes = 0;
      for (const connection of this.engine.connections) {
        packets += connection.packetsWaiting;
        bytes += connection.backlog;
      }
      this.#waiting = { packets, bytes };
    }
    return this.#waiting;
  }

  /** Bytes of the heap in use, that of the whole process. */
  get heap(): number {
    return getHeapStatistics().used_heap_size;
  }
}
