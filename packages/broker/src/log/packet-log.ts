import {
  PACKET_NAMES,
  type Packet,
  PacketType,
  type PublishFrame,
  type QoS,
  ReasonCode,
  type Will,
} from '@tsmqtt/protocol';
import type { Log } from './log.js';

/**
 * The debug lines about every packet (broker §5). There is one only while somebody reads them: without it a packet
 * costs the look whether there is one.
 */
export class PacketLog {
  readonly #log: Log;

  private constructor(log: Log) {
    this.#log = log;
  }

  /** Undefined where debug lines go nowhere. Asked at the start and at every reload, not for every packet. */
  static of(log: Log): PacketLog | undefined {
    return log.enabled('debug') ? new PacketLog(log) : undefined;
  }

  /** Any packet but CONNECT, which has lines of its own, and PUBLISH. */
  received(from: string, packet: Packet): void {
    if (packet.type === PacketType.CONNECT || packet.type === PacketType.PUBLISH) return;
    this.#log.debug(`Received ${PACKET_NAMES[packet.type]} from ${from}${receivedDetails(packet)}`);
  }

  /**
   * @param topic The Topic Name it means, where it carries an alias instead.
   * @param refusal Reason Code that refuses it; 0: none.
   */
  receivedPublish(from: string, frame: PublishFrame, topic: string, refusal: number): void {
    const { dup, qos, retain, packetId, payloadLength } = frame;
    const what = refusal === ReasonCode.NOT_AUTHORIZED ? 'Denied' : 'Received';
    this.#log.debug(
      `${what} PUBLISH from ${from} ${publish(dup, qos, retain, packetId, topic, payloadLength)}`,
    );
  }

  /** A Topic Filter of a SUBSCRIBE, with the QoS that was asked for, or of an UNSUBSCRIBE. */
  filter(filter: string, qos?: QoS): void {
    this.#log.debug(qos === undefined ? `\t${filter}` : `\t${filter} (QoS ${qos})`);
  }

  /** Any packet but PUBLISH. */
  sending(to: string, packet: Packet): void {
    this.#log.debug(`Sending ${PACKET_NAMES[packet.type]} to ${to}${sentDetails(packet)}`);
  }

  sendingAcknowledgement(to: string, type: PacketType, packetId: number, reasonCode: number): void {
    const code = type === PacketType.PUBACK || type === PacketType.PUBREC ? `, rc${reasonCode}` : '';
    this.#log.debug(`Sending ${PACKET_NAMES[type]} to ${to} (m${packetId}${code})`);
  }

  sendingPublish(
    to: string,
    topic: string,
    size: number,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
  ): void {
    this.#log.debug(`Sending PUBLISH to ${to} ${publish(dup, qos, retain, packetId, topic, size)}`);
  }

  /** What the CONNECT that was accepted says about a will. */
  will(will: Will | undefined): void {
    if (will === undefined) {
      this.#log.debug('No will message specified.');
      return;
    }
    const { payload, retain, qos, topic } = will;
    this.#log.debug(`Will message specified (${payload.length} bytes) (r${retain ? 1 : 0}, q${qos}).`);
    this.#log.debug(`\t${topic}`);
  }
}

function publish(
  dup: boolean,
  qos: QoS,
  retain: boolean,
  packetId: number,
  topic: string,
  size: number,
): string {
  return `(d${dup ? 1 : 0}, q${qos}, r${retain ? 1 : 0}, m${packetId}, '${topic}', ... (${size} bytes))`;
}

function receivedDetails(packet: Packet): string {
  switch (packet.type) {
    case PacketType.PUBACK:
    case PacketType.PUBCOMP:
      return ` (Mid: ${packet.packetId}, RC:${packet.reasonCode})`;
    case PacketType.PUBREC:
    case PacketType.PUBREL:
      return ` (Mid: ${packet.packetId})`;
    default:
      return '';
  }
}

function sentDetails(packet: Packet): string {
  switch (packet.type) {
    case PacketType.CONNACK:
      return ` (${packet.sessionPresent ? 1 : 0}, ${packet.reasonCode})`;
    case PacketType.DISCONNECT:
      return ` (rc${packet.reasonCode})`;
    default:
      return '';
  }
}
