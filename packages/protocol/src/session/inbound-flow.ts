/**
 * The receiver's side of QoS 2 (4.3.3): messages that were received and not yet released, by Packet Identifier. A
 * message is handed on when PUBREL comes, once, whatever was repeated before. Part of the session: it outlives
 * connections.
 */
export class InboundFlow<M> {
  /** Created with the first QoS 2 message: most connections never see one. */
  #unreleased: Map<number, M> | undefined;
  #bytes = 0;

  /** @param bytesOf What a message counts as; without it {@link bytes} stays 0. */
  constructor(private readonly bytesOf?: (message: M) => number) {}

  /** Messages received and not released. */
  get size(): number {
    return this.#unreleased?.size ?? 0;
  }

  /** What these messages count as, together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What was received under this Packet Identifier and not released. */
  get(packetId: number): M | undefined {
    return this.#unreleased?.get(packetId);
  }

  /** A PUBLISH came: keep it (again, where it was there already [MQTT-4.3.3-10] [MQTT311-4.3.3-2]). */
  keep(packetId: number, message: M): void {
    this.#unreleased ??= new Map();
    if (this.bytesOf !== undefined) {
      const earlier = this.#unreleased.get(packetId);
      this.#bytes += this.bytesOf(message) - (earlier === undefined ? 0 : this.bytesOf(earlier));
    }
    this.#unreleased.set(packetId, message);
  }

  /** PUBREL came: the message to hand on, or undefined. The identifier then means a new message [MQTT-4.3.3-12] [MQTT311-4.3.3-2]. */
  release(packetId: number): M | undefined {
    const message = this.#unreleased?.get(packetId);
    if (message !== undefined) {
      this.#unreleased?.delete(packetId);
      if (this.bytesOf !== undefined) this.#bytes -= this.bytesOf(message);
    }
    return message;
  }

  /** Every message that was received and not released. */
  forEach(visit: (message: M) => void): void {
    if (this.#unreleased !== undefined) for (const message of this.#unreleased.values()) visit(message);
  }

  clear(): void {
    this.#unreleased = undefined;
    this.#bytes = 0;
  }
}
