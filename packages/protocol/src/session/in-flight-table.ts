import type { OutboundMessage } from './outbound-message.js';

const FIRST_SIZE = 16;
/** A table larger than this is given back when it has run empty. */
const LARGEST_KEPT = 1024;
const LARGEST_PACKET_ID = 65_535;

/**
 * Unacknowledged messages by Packet Identifier (2.2.1). Identifiers are given out in sequence, so a few slots indexed
 * by the identifier's low bits hold a window without gaps; the table grows when two would share a slot. (An array over
 * all identifiers costs 592 KB a connection.)
 */
export class InFlightTable<M extends OutboundMessage> {
  #slots: (M | undefined)[] = [];
  #size = 0;
  #next = 1;
  /** Packet Identifiers in use by something that is not in the table. */
  #reserved: Set<number> | undefined;

  get size(): number {
    return this.#size;
  }

  /** Slots held: the memory that the table takes. */
  get capacity(): number {
    return this.#slots.length;
  }

  get(packetId: number): M | undefined {
    const found = this.#slots[packetId & (this.#slots.length - 1)];
    return found !== undefined && found.packetId === packetId ? found : undefined;
  }

  /** Gives the message the next free Packet Identifier: from 1 on, 65535 followed by 1, skipping those in use. */
  add(message: M): void {
    if (this.#slots.length === 0) this.#slots = new Array<M | undefined>(FIRST_SIZE).fill(undefined);
    if (this.#size + (this.#reserved?.size ?? 0) >= LARGEST_PACKET_ID)
      throw new RangeError('all Packet Identifiers are in use');
    for (;;) {
      const packetId = this.#next;
      this.#next = packetId === LARGEST_PACKET_ID ? 1 : packetId + 1;
      if (this.#reserved?.has(packetId) === true) continue;
      const slot = packetId & (this.#slots.length - 1);
      const occupant = this.#slots[slot];
      if (occupant === undefined) {
        message.packetId = packetId;
        this.#slots[slot] = message;
        this.#size++;
        return;
      }
      if (occupant.packetId === packetId) continue;
      // A straggler in a table with room is stepped over; only a full table grows.
      if (this.#size * 2 >= this.#slots.length) {
        this.#grow();
        this.#next = packetId;
      }
    }
  }

  /** Takes a message back under the Packet Identifier that it had; the next to be given out follows it. */
  restore(message: M, packetId: number): void {
    if (this.get(packetId) !== undefined) throw new RangeError(`Packet Identifier ${packetId} is in use`);
    if (this.#slots.length === 0) this.#slots = new Array<M | undefined>(FIRST_SIZE).fill(undefined);
    while (this.#slots[packetId & (this.#slots.length - 1)] !== undefined) this.#grow();
    message.packetId = packetId;
    this.#slots[packetId & (this.#slots.length - 1)] = message;
    this.#size++;
    this.#next = packetId === LARGEST_PACKET_ID ? 1 : packetId + 1;
  }

  /** Takes the next free Packet Identifier for a SUBSCRIBE or UNSUBSCRIBE, until `free()` [MQTT-2.2.1-3] [MQTT311-2.3.1-2]. */
  reserve(): number {
    this.#reserved ??= new Set();
    if (this.#size + this.#reserved.size >= LARGEST_PACKET_ID) {
      throw new RangeError('all Packet Identifiers are in use');
    }
    for (;;) {
      const packetId = this.#next;
      this.#next = packetId === LARGEST_PACKET_ID ? 1 : packetId + 1;
      if (this.#reserved.has(packetId) || this.get(packetId) !== undefined) continue;
      this.#reserved.add(packetId);
      return packetId;
    }
  }

  free(packetId: number): void {
    this.#reserved?.delete(packetId);
  }

  delete(message: M): void {
    const slot = message.packetId & (this.#slots.length - 1);
    if (this.#slots[slot] !== message) return;
    this.#slots[slot] = undefined;
    this.#size--;
    if (this.#size === 0 && this.#slots.length > LARGEST_KEPT) this.clear();
  }

  clear(): void {
    this.#slots = [];
    this.#size = 0;
  }

  forEach(visit: (message: M) => void): void {
    for (const message of this.#slots) if (message !== undefined) visit(message);
  }

  /** All messages, oldest first, each with its identifier [MQTT311-2.3.1-3]. */
  inOrder(): M[] {
    const all = this.#slots.filter((message) => message !== undefined);
    return all.sort((one, other) => one.sequence - other.sequence);
  }

  #grow(): void {
    const all = this.#slots;
    this.#slots = new Array<M | undefined>(Math.min(all.length * 2, LARGEST_PACKET_ID + 1)).fill(undefined);
    for (const message of all) {
      // Distinct in the low bits before, so distinct with one bit more.
      if (message !== undefined) this.#slots[message.packetId & (this.#slots.length - 1)] = message;
    }
  }
}
