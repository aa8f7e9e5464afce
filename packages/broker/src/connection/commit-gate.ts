import { OutputBuffer } from '@tsmqtt/protocol';
import type { CommitWaiter, Journal } from '../persistence/journal.js';

/** Output that one connection may have waiting for the store, in bytes; beyond it nothing more is read from it. */
export const LARGEST_HELD = 65_536;

/** Whose output it is. */
export interface GateOwner {
  /** Something may leave now. */
  opened(): void;
  /** There is room for the answers to more packets. */
  goOn(): void;
  /** What waited is thrown away: it will never be true. */
  failed(): void;
}

interface Held {
  /** Batch that it waits for; 0: it stands before everything that waits. */
  readonly ticket: number;
  readonly parts: readonly Uint8Array[];
  readonly size: number;
}

/**
 * The one place where "persist, then acknowledge" happens: between what handlers write and what the socket gets. An
 * answer to a packet that changed something to be saved (PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK, CONNACK) stays here
 * until the batch of that change is saved, and everything behind it with it, so that nothing changes its order. Where
 * the store fails, what waits is thrown away and the connection ends.
 *
 * A broker without a store has no gates.
 */
export class CommitGate implements CommitWaiter {
  /** What handlers write into. */
  readonly buffer = new OutputBuffer();
  /** What may leave. */
  readonly ready = new OutputBuffer();
  readonly #journal: Journal;
  readonly #owner: GateOwner;
  /** What waits longer than `buffer`: batches under way, so few. */
  #held: Held[] = [];
  #heldSize = 0;
  /** Batch that `buffer` waits for; 0: none. */
  #ticket = 0;
  #changesBefore = 0;
  #pausing = false;
  #passed = false;
  #broken = false;

  constructor(journal: Journal, owner: GateOwner) {
    this.#journal = journal;
    this.#owner = owner;
  }

  /** Bytes that wait, those among them that need not have. */
  get size(): number {
    return this.#heldSize + this.buffer.size;
  }

  /** Whether anything was let through so far. */
  get passed(): boolean {
    return this.#passed;
  }

  /** A packet is about to be handled. */
  begin(): void {
    this.#changesBefore = this.#journal.changes;
  }

  /** An answer is about to be written: it waits for what its packet changed. */
  answer(): void {
    if (this.#journal.changes !== this.#changesBefore) this.hold();
  }

  /** What is written from now on waits for everything that was changed so far. */
  hold(): void {
    if (this.#broken) return;
    const ticket = this.#journal.wait(this);
    if (ticket <= this.#ticket) return;
    if (this.buffer.size > 0) {
      const size = this.buffer.size;
      this.#held.push({ ticket: this.#ticket, parts: this.buffer.take(), size });
      this.#heldSize += size;
    }
    this.#ticket = ticket;
  }

  /**
   * A packet was handled: whether the next has to wait, because as much waits for the store as may, of this connection
   * or, if it adds to that, of all. `goOn()` follows.
   */
  pauses(): boolean {
    const adds = this.#journal.changes !== this.#changesBefore;
    if (!(adds && this.#journal.full) && this.size < LARGEST_HELD) return false;
    this.#pausing = this.#journal.wait(this) > 0;
    return this.#pausing;
  }

  /** Lets through what waits for nothing any more. */
  pass(): void {
    const { committed } = this.#journal;
    while (this.#held.length > 0 && (this.#held[0] as Held).ticket <= committed) {
      const { parts, size } = this.#held.shift() as Held;
      this.#heldSize -= size;
      this.#let(parts);
    }
    if (this.#held.length > 0 || this.#ticket > committed || this.buffer.size === 0) return;
    this.#ticket = 0;
    this.#let(this.buffer.take());
  }

  #let(parts: readonly Uint8Array[]): void {
    this.#passed = true;
    for (const part of parts) this.ready.bytes(part);
  }

  /** CommitWaiter. */
  saved(): void {
    this.#owner.opened();
    this.#resume();
  }

  /** CommitWaiter. */
  failed(): void {
    if (this.#ticket === 0) {
      // It only waited for room.
      this.#resume();
      return;
    }
    this.#broken = true;
    this.#throwAway();
    this.#owner.failed();
  }

  #resume(): void {
    if (!this.#pausing) return;
    this.#pausing = false;
    this.#owner.goOn();
  }

  #throwAway(): void {
    this.#held = [];
    this.#heldSize = 0;
    this.#ticket = 0;
    this.buffer.take();
  }

  /** The connection is gone. */
  close(): void {
    this.#broken = true;
    this.#journal.forget(this);
    this.#throwAway();
  }
}
