import {
  PacketType,
  ProtocolError,
  type ProtocolVersion,
  type Suback,
  type Subscribe,
  type Unsuback,
  type Unsubscribe,
} from '@tsmqtt/protocol';
import type { ClientError } from '../client-error.js';
import type { OutboundMessages } from './outbound-messages.js';

/** A SUBSCRIBE or UNSUBSCRIBE on its way. */
export interface Request {
  /** Topic Filters in it: so many Reason Codes are in the answer. */
  readonly count: number;
  /** The packet, once it has its Packet Identifier. */
  build(packetId: number): Subscribe | Unsubscribe;
  resolve(answer: Suback | Unsuback): void;
  reject(error: ClientError): void;
}

const ANSWERS = {
  [PacketType.SUBSCRIBE]: PacketType.SUBACK,
  [PacketType.UNSUBSCRIBE]: PacketType.UNSUBACK,
} as const;

interface Waiting {
  readonly request: Request;
  readonly answerType: (Suback | Unsuback)['type'];
}

/** SUBSCRIBE and UNSUBSCRIBE packets that wait for their answers. They do not outlive their connection. */
export class Requests {
  readonly #outbound: OutboundMessages;
  readonly #version: ProtocolVersion;
  readonly #waiting = new Map<number, Waiting>();

  constructor(outbound: OutboundMessages, version: ProtocolVersion) {
    this.#outbound = outbound;
    this.#version = version;
  }

  /** @throws UsageError for what has no encoding, ClientError `packet-too-large`. */
  send(request: Request): void {
    const packetId = this.#outbound.flow.reservePacketId();
    try {
      const packet = request.build(packetId);
      this.#outbound.packet(packet);
      this.#waiting.set(packetId, { request, answerType: ANSWERS[packet.type] });
    } finally {
      if (!this.#waiting.has(packetId)) this.#outbound.flow.freePacketId(packetId);
    }
  }

  /**
   * SUBACK or UNSUBACK came. One that nobody waits for is passed over, as late acknowledgements of messages are.
   * @throws ProtocolError `packet-id-mismatch`, `reason-code-count` [MQTT-3.9.3-1] [MQTT-3.11.3-1].
   */
  answer(packet: Suback | Unsuback): void {
    const waiting = this.#waiting.get(packet.packetId);
    if (waiting === undefined) return;
    if (waiting.answerType !== packet.type) {
      throw new ProtocolError('packet-id-mismatch', 'the answer is to a packet of another type');
    }
    // UNSUBACK got its Reason Codes with MQTT 5.
    const counted = packet.type === PacketType.SUBACK || this.#version === 5;
    if (counted && packet.reasonCodes.length !== waiting.request.count) {
      throw new ProtocolError(
        'reason-code-count',
        `${packet.reasonCodes.length} Reason Codes answer ${waiting.request.count} Topic Filters`,
      );
    }
    this.#waiting.delete(packet.packetId);
    this.#outbound.flow.freePacketId(packet.packetId);
    waiting.request.resolve(packet);
  }

  connectionLost(error: ClientError): void {
    for (const [packetId, { request }] of this.#waiting) {
      this.#outbound.flow.freePacketId(packetId);
      request.reject(error);
    }
    this.#waiting.clear();
  }
}
