import { DeliveryAction } from '../src/session/delivery-table.js';
import { InboundFlow } from '../src/session/inbound-flow.js';
import { OutboundFlow } from '../src/session/outbound-flow.js';
import type { Acknowledgement } from '../src/wire/packet.js';
import { acknowledgement, Numbered } from './outbound-peer.js';

export interface WalkOptions {
  readonly seed: number;
  readonly steps: number;
  /** Windows to choose from on each connection. */
  readonly windows: readonly number[];
  /** Per step. */
  readonly chanceOfCut: number;
  /** Per connection. */
  readonly chanceOfLostSession: number;
  /** Per message. */
  readonly chanceOfRefusal: number;
  /** The peer acknowledges in the order of receiving [MQTT-4.6.0-2], or in any. */
  readonly acknowledgesInOrder: boolean;
}

type ToPeer = { readonly message?: Numbered; readonly packetId: number; readonly dup: boolean };

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/**
 * An OutboundFlow and a receiver at the ends of connections that carry packets in order and break at any moment, with
 * what was under way in either direction. Throws as soon as the flow does what it must not.
 */
export class LossyConnection {
  /** How often the receiver handed each message on, by its number. */
  readonly delivered: number[] = [];
  readonly settled: number[] = [];
  /** What the receiver refuses, each time it comes. */
  readonly refused = new Set<number>();
  /** Messages that were in flight when a session was lost: they may be handed on twice. */
  readonly doubtful = new Set<number>();
  readonly flow: OutboundFlow<Numbered>;
  connections = 0;
  sent: Numbered[] = [];
  mostInFlight = 0;
  /** Rounds through the Packet Identifiers. */
  rounds = 0;

  readonly #options: WalkOptions;
  readonly #random: () => number;
  readonly #received = new InboundFlow<Numbered>();
  #toPeer: ToPeer[] = [];
  #toUs: Acknowledgement[] = [];
  #up = false;
  #window = 0;
  /** Who has a Packet Identifier. */
  readonly #owners = new Map<number, Numbered>();
  /** Published on this connection and not settled. */
  readonly #unacknowledged = new Set<Numbered>();
  #lastPublished = -1;
  #lastReleased = -1;
  #lastFirstReceived = -1;
  #lastHandedOn = -1;
  #lastPacketId = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#random = randomNumbers(options.seed);
    this.flow = new OutboundFlow<Numbered>({
      publish: (message, packetId, dup) => this.#publish(message, packetId, dup),
      pubrel: (packetId) => this.#pubrel(packetId),
      settled: (message, packet) => this.#settle(message, packet),
    });
  }

  walk(): void {
    const { steps, chanceOfCut } = this.#options;
    for (let step = 0; step < steps; step++) {
      const dice = this.#random();
      if (!this.#up) {
        if (dice < 0.3) this.#connect(this.#random() >= this.#options.chanceOfLostSession);
        else this.#send();
      } else if (dice < chanceOfCut) this.#cut();
      else if (dice < 0.34) this.#send();
      else if (dice < 0.68) this.#peerReads();
      else this.#weRead();
    }
    if (!this.#up) this.#connect(true);
    while (this.flow.pending > 0) {
      demand(this.#toPeer.length + this.#toUs.length > 0, 'nothing moves any more');
      this.#peerReads();
      this.#weRead();
    }
  }

  #send(): void {
    const message = new Numbered(this.#random() < 0.5 ? 1 : 2, this.sent.length);
    this.sent.push(message);
    if (this.#random() < this.#options.chanceOfRefusal) this.refused.add(message.number);
    this.flow.send(message);
  }

  #connect(sessionPresent: boolean): void {
    const { windows } = this.#options;
    this.#up = true;
    this.connections++;
    this.#window = windows[Math.floor(this.#random() * windows.length)] as number;
    this.#unacknowledged.clear();
    this.#lastPublished = -1;
    this.#lastReleased = -1;
    const inFlight = this.flow.inFlight;
    if (!sessionPresent) {
      for (const message of this.#owners.values()) this.doubtful.add(message.number);
      this.#owners.clear();
      this.#received.clear();
    }
    const twice = this.flow.connected(this.#window, sessionPresent);
    demand(twice === (sessionPresent ? 0 : inFlight), 'the number of doubtful messages');
  }

  #cut(): void {
    this.#up = false;
    this.#toPeer = [];
    this.#toUs = [];
    this.flow.disconnected();
  }

  #publish(message: Numbered, packetId: number, dup: boolean): boolean {
    demand(this.#up, 'PUBLISH without a connection');
    demand(packetId >= 1 && packetId <= 65_535, `Packet Identifier ${packetId}`);
    const owner = this.#owners.get(packetId);
    if (dup) demand(owner === message, `${packetId} is not the identifier of what is sent again`);
    else {
      demand(owner === undefined, `Packet Identifier ${packetId} is in use`);
      this.#owners.set(packetId, message);
      if (packetId < this.#lastPacketId) this.rounds++;
      this.#lastPacketId = packetId;
    }
    demand(message.number > this.#lastPublished, `${message.number} after ${this.#lastPublished}`);
    this.#lastPublished = message.number;
    this.#unacknowledged.add(message);
    demand(this.#unacknowledged.size <= this.#window, `more than ${this.#window} unacknowledged`);
    this.mostInFlight = Math.max(this.mostInFlight, this.#unacknowledged.size);
    this.#toPeer.push({ message, packetId, dup });
    return true;
  }

  #pubrel(packetId: number): void {
    demand(this.#up, 'PUBREL without a connection');
    const message = this.#owners.get(packetId);
    demand(message?.qos === 2, `PUBREL for ${packetId}`);
    if (this.#options.acknowledgesInOrder) {
      // [MQTT-4.6.0-4]
      demand((message as Numbered).number > this.#lastReleased, 'PUBREL out of order');
      this.#lastReleased = (message as Numbered).number;
    }
    this.#toPeer.push({ packetId, dup: false });
  }

  #settle(message: Numbered, packet: Acknowledgement): void {
    demand(this.#owners.get(packet.packetId) === message, `${packet.packetId} settles another message`);
    this.#owners.delete(packet.packetId);
    this.#unacknowledged.delete(message);
    this.settled[message.number] = (this.settled[message.number] ?? 0) + 1;
    const refused = packet.reasonCode >= 0x80 && packet.reasonCode !== 0x92;
    demand(refused === this.refused.has(message.number), `message ${message.number} settled as ${refused}`);
  }

  #peerReads(): void {
    const packet = this.#toPeer.shift();
    if (packet === undefined) return;
    const { message, packetId, dup } = packet;
    if (message === undefined) {
      const released = this.#received.release(packetId);
      if (released !== undefined) this.#handOn(released);
      this.#toUs.push(acknowledgement('PUBCOMP', packetId, released === undefined ? 0x92 : 0));
      return;
    }
    const refuses = this.refused.has(message.number);
    if (message.qos === 1) {
      if (!refuses) this.#handOn(message);
      this.#toUs.push(acknowledgement('PUBACK', packetId, refuses ? 0x87 : 0));
      return;
    }
    const kept = this.#received.get(packetId);
    if (refuses) {
      this.#toUs.push(acknowledgement('PUBREC', packetId, 0x97));
      return;
    }
    demand(kept === undefined || (kept === message && dup), 'another message under the same identifier');
    this.#received.keep(packetId, message);
    this.#toUs.push(acknowledgement('PUBREC', packetId, 0));
  }

  #handOn(message: Numbered): void {
    const { number, qos } = message;
    const before = this.delivered[number] ?? 0;
    this.delivered[number] = before + 1;
    if (before > 0) {
      demand(qos === 1 || this.doubtful.has(number), `message ${number} was handed on twice`);
      return;
    }
    if (qos === 1) {
      demand(number > this.#lastFirstReceived, `QoS 1: ${number} came after ${this.#lastFirstReceived}`);
      this.#lastFirstReceived = number;
    } else if (this.#options.acknowledgesInOrder) {
      demand(number > this.#lastHandedOn, `QoS 2: ${number} came after ${this.#lastHandedOn}`);
      this.#lastHandedOn = number;
    }
  }

  #weRead(): void {
    const { acknowledgesInOrder } = this.#options;
    // The oldest one often stays behind, so that a few wait very long.
    const which = acknowledgesInOrder ? 0 : Math.floor(this.#random() ** 0.25 * this.#toUs.length);
    const [packet] = this.#toUs.splice(which, 1);
    if (packet === undefined) return;
    const action = this.flow.acknowledge(packet);
    demand(action === DeliveryAction.SETTLE || action === DeliveryAction.RELEASE, `action ${action}`);
  }
}
