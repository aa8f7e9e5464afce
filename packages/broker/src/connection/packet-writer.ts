import {
  encodePacket,
  OutboundTopicAliases,
  OutputBuffer,
  type Packet,
  PacketType,
  type ProtocolVersion,
  type PublishAdditions,
  type QoS,
} from '@tsmqtt/protocol';
import type { Engine } from '../engine.js';
import type { Message } from '../routing/message.js';
import type { CommitGate } from './commit-gate.js';
import type { SocketOutput } from './socket-output.js';

const NO_ALIASES = new OutboundTopicAliases(0);

/**
 * A message becomes no more than this many bytes longer on its way: Packet Identifier 2, the longer header 3, Property
 * Length 4, Message Expiry Interval 5, Topic Alias 3, Subscription Identifier 5.
 */
const MOST_ADDED = 22;

/** Writes packets to one client: what its connection adds to a message, what waits for the store, and what it does not take. */
export class PacketWriter {
  /** What its client speaks. */
  version: ProtocolVersion = 4;
  /** Topic Aliases towards the client (3.3.2.3.4). */
  aliases = NO_ALIASES;
  /** The client's Maximum Packet Size (3.1.2.11.4). */
  maximumPacketSize = Number.POSITIVE_INFINITY;
  readonly #output: SocketOutput;
  readonly #engine: Engine;
  readonly #gate: CommitGate | undefined;
  /** What the log calls it. */
  readonly #client: { readonly label: string };

  constructor(
    output: SocketOutput,
    engine: Engine,
    gate: CommitGate | undefined,
    client: { readonly label: string },
  ) {
    this.#output = output;
    this.#engine = engine;
    this.#gate = gate;
    this.#client = client;
  }

  /** Writes a packet; false where it is larger than the client takes, which it must not be sent [MQTT-3.1.2-24]. */
  write(packet: Packet): boolean {
    const bytes = encodePacket(packet, this.version);
    if (bytes.length > this.maximumPacketSize) return false;
    this.#gate?.answer();
    this.#output.buffer.bytes(bytes);
    this.#engine.packetLog?.sending(this.#client.label, packet);
    this.#written(packet.type);
    return true;
  }

  /**
   * PUBACK, PUBREC, PUBREL or PUBCOMP, at once whatever waits in the window [MQTT-3.3.4-10] [MQTT-4.9.0-3], in the shortest
   * form: without Reason String and User Property [MQTT-3.1.2-29] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2]
   * [MQTT-3.5.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3].
   */
  acknowledge(
    type:
      | typeof PacketType.PUBACK
      | typeof PacketType.PUBREC
      | typeof PacketType.PUBREL
      | typeof PacketType.PUBCOMP,
    packetId: number,
    reasonCode: number,
  ): void {
    this.#gate?.answer();
    this.#output.buffer.acknowledgement(type, packetId, reasonCode, this.version);
    this.#engine.packetLog?.sendingAcknowledgement(this.#client.label, type, packetId, reasonCode);
    this.#written(type);
  }

  #written(type: PacketType): void {
    (this.#engine.counters.packetsSent[type] as number)++;
    this.#output.touch();
  }

  /**
   * DUP is what the caller says, not what came in [MQTT-3.3.1-3] [MQTT311-3.3.1-3].
   *
   * @returns False where the message has expired or is larger than the client takes [MQTT-3.1.2-24] [MQTT-3.3.2-5].
   */
  publish(
    message: Message,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifier: number | undefined,
  ): boolean {
    const { version } = this;
    let left: number | undefined;
    if (message.expiresAt !== Number.POSITIVE_INFINITY) {
      const now = this.#engine.clock.now();
      // What was sent before is not withdrawn (broker §9.9) [MQTT-4.3.3-7].
      if (message.expiresAt <= now && !dup) return false;
      left = message.secondsLeft(now);
    }
    const additions = version === 5 ? this.#additions(message.topic, left, identifier) : undefined;
    const { frame } = message;
    if (frame.end - frame.frameStart > this.maximumPacketSize - MOST_ADDED) {
      return this.#publishIfItFits(message, qos, retain, dup, packetId, additions);
    }
    this.#output.buffer.forward(frame, version, qos, retain, dup, packetId, additions);
    this.#sent(message, qos, retain, dup, packetId);
    return true;
  }

  #sent(message: Message, qos: QoS, retain: boolean, dup: boolean, packetId: number): void {
    const { counters, packetLog } = this.#engine;
    const size = message.frame.payloadLength;
    packetLog?.sendingPublish(this.#client.label, message.topic, size, qos, retain, dup, packetId);
    counters.payloadSent += size;
    this.#written(PacketType.PUBLISH);
  }

  #additions(
    topic: string,
    messageExpiryInterval: number | undefined,
    subscriptionIdentifier: number | undefined,
  ): PublishAdditions | undefined {
    // An alias that a message sets is lost with it where it turns out too large: no aliases then.
    const alias = this.maximumPacketSize === Number.POSITIVE_INFINITY ? this.aliases.use(topic) : 0;
    if (messageExpiryInterval === undefined && alias === 0 && subscriptionIdentifier === undefined)
      return undefined;
    const topicAlias = alias === 0 ? undefined : Math.abs(alias);
    return { messageExpiryInterval, topicAlias, omitTopic: alias > 0, subscriptionIdentifier };
  }

  #publishIfItFits(
    message: Message,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
    additions: PublishAdditions | undefined,
  ): boolean {
    const packet = new OutputBuffer();
    packet.forward(message.frame, this.version, qos, retain, dup, packetId, additions);
    if (packet.size > this.maximumPacketSize) {
      this.#engine.log.notice(
        `Dropping too large outgoing PUBLISH for ${this.#client.label} (${packet.size} bytes)`,
      );
      this.#engine.counters.dropped++;
      return false;
    }
    for (const part of packet.take()) this.#output.buffer.bytes(part);
    this.#sent(message, qos, retain, dup, packetId);
    return true;
  }
}
