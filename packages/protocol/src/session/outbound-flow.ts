import type { Acknowledgement } from '../wire/packet.js';
import { PacketType } from '../wire/packet-type.js';
import { DELIVERY_TABLE, DeliveryAction, DeliveryEvent, DeliveryState } from './delivery-table.js';
import { InFlightTable } from './in-flight-table.js';
import type { OutboundMessage } from './outbound-message.js';
import { Ring } from './ring.js';

/** What the flow asks of the connection. Called only between `connected()` and `disconnected()`. */
export interface OutboundSink<M> {
  /**
   * Send PUBLISH with this Packet Identifier.
   * @returns False where it cannot be sent after all (it has expired, or is too large for the peer): it counts as
   *   delivered [MQTT-3.1.2-25], without `settled()`.
   */
  publish(message: M, packetId: number, dup: boolean): boolean;
  /** Send PUBREL. @param message What it releases; undefined where nothing is known of it any more. */
  pubrel(packetId: number, message: M | undefined): void;
  /** The message is over: delivered, or refused with a Reason Code of 0x80 and above. */
  settled(message: M, acknowledgement: Acknowledgement): void;
}

/**
 * The sender's side of QoS 1 and 2 (4.3.2, 4.3.3, 4.4, 4.9): Packet Identifiers, the in-flight window, the queue behind
 * it, resending. Both ends of a connection use it, as many times as the session has connections. Does no I/O and
 * decides nothing about bounds: whoever sends looks at `queued` first.
 */
export class OutboundFlow<M extends OutboundMessage> {
  readonly #sink: OutboundSink<M>;
  readonly #inFlight = new InFlightTable<M>();
  readonly #queue = new Ring<M>();
  /** Sent on an earlier connection, not yet on this one; in order. */
  #resend: M[] = [];
  #resent = 0;
  #onWire = 0;
  #onWireBytes = 0;
  #inFlightBytes = 0;
  #queuedBytes = 0;
  #window: number;
  #maximumBytes = Number.POSITIVE_INFINITY;
  #connected = false;
  #sequence = 0;

  /** @param window Largest number of unacknowledged messages: the peer's Receive Maximum (3.1.2.11.3) or a bound of our own. */
  constructor(sink: OutboundSink<M>, window = 65_535) {
    this.#sink = sink;
    this.#window = window;
  }

  /** Messages that have a Packet Identifier and are not settled. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Messages that wait for a place in the window. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Messages that are not settled. */
  get pending(): number {
    return this.#inFlight.size + this.#queue.length;
  }

  /** Bytes of the messages that wait for a place in the window. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes of the messages that are not settled. */
  get pendingBytes(): number {
    return this.#inFlightBytes + this.#queuedBytes;
  }

  get window(): number {
    return this.#window;
  }

  /**
   * Other limits, at once. What is on its way already stays.
   *
   * @param maximumBytes No further message is sent while those on their way have as many; so one may exceed it, and one
   *   may always be on its way.
   */
  limit(window: number, maximumBytes: number): void {
    this.#window = window;
    this.#maximumBytes = maximumBytes;
    this.pump();
  }

  #hasRoom(): boolean {
    return this.#onWire < this.#window && this.#onWireBytes < this.#maximumBytes;
  }

  /** Whether a message that is given now is sent at once. */
  get open(): boolean {
    return (
      this.#connected && this.#queue.length === 0 && this.#hasRoom() && this.#resent === this.#resend.length
    );
  }

  /**
   * Sends the message now if connection and window allow it, or when they do, in order [MQTT-4.6.0-5] [MQTT-4.6.0-6]
   * [MQTT311-4.6.0-5] [MQTT311-4.6.0-6].
   */
  send(message: M): void {
    if (this.open) this.#first(message);
    else this.#enqueue(message);
  }

  #enqueue(message: M): void {
    this.#queue.push(message);
    this.#queuedBytes += message.bytes;
  }

  /**
   * Takes a message back that an earlier process had: in order, before the first `connected()`, those that were sent
   * before those that were not.
   *
   * @param packetId 0: it was not sent yet.
   * @param released PUBREC came.
   * @throws RangeError where the Packet Identifier is in use.
   */
  restore(message: M, packetId: number, released: boolean): void {
    if (packetId === 0) {
      this.#enqueue(message);
      return;
    }
    this.#inFlight.restore(message, packetId);
    this.#inFlightBytes += message.bytes;
    this.#awaits(message);
    if (released) message.state = DeliveryState.AWAIT_PUBCOMP;
  }

  /**
   * A connection is there.
   *
   * @param window The window from now on.
   * @param sessionPresent True: what is in flight is sent again, in order, with DUP and the same Packet Identifiers, or
   *   PUBREL where PUBREC had come [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.3.3-6] [MQTT311-4.4.0-1] [MQTT311-3.3.1-1]. False: the peer knows nothing of it, so all of it is new, with DUP 0
   *   [MQTT-3.2.2-5] (cli P-25).
   * @returns How many messages may arrive twice, because the earlier connection may have delivered them.
   */
  connected(window: number, sessionPresent: boolean): number {
    this.#window = window;
    this.#connected = true;
    this.#onWire = 0;
    this.#onWireBytes = 0;
    this.#resent = 0;
    this.#resend = this.#inFlight.inOrder();
    for (const message of this.#resend) message.onWire = false;
    const doubtful = sessionPresent ? 0 : this.#resend.length;
    if (!sessionPresent) this.#restart();
    this.pump();
    this.#releaseAll();
    return doubtful;
  }

  /**
   * A Packet Identifier for a SUBSCRIBE or UNSUBSCRIBE, from the same sequence as the messages' own, not given to
   * anything else until `freePacketId()` [MQTT-2.2.1-3].
   */
  reservePacketId(): number {
    return this.#inFlight.reserve();
  }

  /** SUBACK or UNSUBACK came, or the connection on which it was awaited is gone. */
  freePacketId(packetId: number): void {
    this.#inFlight.free(packetId);
  }

  /** The connection is gone; everything is kept for the next. */
  disconnected(): void {
    this.#connected = false;
    this.#resend = [];
    this.#resent = 0;
    this.#onWire = 0;
    this.#onWireBytes = 0;
  }

  /** Every message that is not settled, in no order. */
  forEach(visit: (message: M) => void): void {
    this.#inFlight.forEach(visit);
    for (const message of this.#queue) visit(message);
  }

  /** Forgets everything and returns it, oldest first. */
  clear(): M[] {
    const all = [...this.#inFlight.inOrder(), ...this.#queue];
    this.#inFlight.clear();
    this.#queue.clear();
    this.#inFlightBytes = 0;
    this.#queuedBytes = 0;
    this.disconnected();
    return all;
  }

  /** Takes every message that waits in the queue and does not pass `keep` out of it. */
  filterQueue(keep: (message: M) => boolean): void {
    const all = [...this.#queue];
    this.#queue.clear();
    this.#queuedBytes = 0;
    for (const message of all) if (keep(message)) this.#enqueue(message);
  }

  /**
   * PUBACK, PUBREC or PUBCOMP came.
   * @returns VIOLATION where the peer may not answer so; the caller closes the connection.
   */
  acknowledge(packet: Acknowledgement): DeliveryAction {
    const message = this.#inFlight.get(packet.packetId);
    const state = message === undefined ? DeliveryState.NONE : message.state;
    const action = (DELIVERY_TABLE[state] as (typeof DELIVERY_TABLE)[number])[eventOf(packet)];
    if (action === DeliveryAction.RELEASE) {
      if (message !== undefined) message.state = DeliveryState.AWAIT_PUBCOMP;
      if (this.#connected) this.#sink.pubrel(packet.packetId, message);
    } else if (action === DeliveryAction.SETTLE) {
      const settled = message as M;
      // 4.9: a PUBACK, PUBCOMP or failed PUBREC gives its place in the window back.
      this.#leave(settled);
      this.#sink.settled(settled, packet);
      this.pump();
    }
    return action;
  }

  /**
   * Sends what waits, as far as the window reaches; first what is sent again, in the order of the first time
   * [MQTT-4.6.0-1] [MQTT311-4.6.0-1].
   */
  pump(): void {
    // Asked again each time: the sink may have found the connection gone.
    while (this.#connected && this.#hasRoom()) {
      if (this.#resent < this.#resend.length) {
        this.#again(this.#resend[this.#resent++] as M);
        if (this.#resent === this.#resend.length) {
          this.#resend = [];
          this.#resent = 0;
        }
        continue;
      }
      const message = this.#queue.shift();
      if (message === undefined) return;
      this.#queuedBytes -= message.bytes;
      this.#first(message);
    }
  }

  /**
   * First transmission: the next free Packet Identifier, DUP 0, in flight until it is acknowledged [MQTT-2.2.1-4]
   * [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.2-3] [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.3.3-3] [MQTT-4.9.0-2]
   * [MQTT311-2.3.1-4] [MQTT311-4.3.2-1] [MQTT311-4.3.3-1].
   */
  #first(message: M): void {
    this.#inFlight.add(message);
    this.#inFlightBytes += message.bytes;
    this.#awaits(message);
    message.onWire = true;
    this.#onWire++;
    this.#onWireBytes += message.bytes;
    if (!this.#sink.publish(message, message.packetId, false)) this.#leave(message);
  }

  #awaits(message: M): void {
    message.sequence = ++this.#sequence;
    message.state = message.qos === 1 ? DeliveryState.AWAIT_PUBACK : DeliveryState.AWAIT_PUBREC;
  }

  /** Frees its Packet Identifier and its place in the window. */
  #leave(message: M): void {
    this.#inFlight.delete(message);
    this.#inFlightBytes -= message.bytes;
    if (!message.onWire) return;
    message.onWire = false;
    this.#onWire--;
    this.#onWireBytes -= message.bytes;
  }

  /** PUBREL waits for no window [MQTT-3.3.4-8] [MQTT-3.3.4-10]: what `pump()` left of them goes out now. */
  #releaseAll(): void {
    const resend = this.#resend;
    for (let at = this.#resent; this.#connected && this.#resend === resend && at < resend.length; at++) {
      const message = resend[at] as M;
      if (message.state === DeliveryState.AWAIT_PUBCOMP) this.#again(message);
    }
  }

  #again(message: M): void {
    // Acknowledged meanwhile, or released already.
    if (message.onWire || this.#inFlight.get(message.packetId) !== message) return;
    message.onWire = true;
    this.#onWire++;
    this.#onWireBytes += message.bytes;
    if (message.state === DeliveryState.AWAIT_PUBCOMP) this.#sink.pubrel(message.packetId, message);
    else if (!this.#sink.publish(message, message.packetId, true)) this.#leave(message);
  }

  #restart(): void {
    const waiting = [...this.#queue];
    this.#queue.clear();
    this.#queuedBytes = 0;
    for (const message of this.#resend) {
      message.packetId = 0;
      message.state = DeliveryState.NONE;
      this.#enqueue(message);
    }
    for (const message of waiting) this.#enqueue(message);
    this.#resend = [];
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
  }
}

function eventOf(packet: Acknowledgement): DeliveryEvent {
  if (packet.type === PacketType.PUBACK) return DeliveryEvent.PUBACK;
  if (packet.type === PacketType.PUBCOMP) return DeliveryEvent.PUBCOMP;
  return packet.reasonCode >= 0x80 ? DeliveryEvent.PUBREC_FAILED : DeliveryEvent.PUBREC;
}
