import {
  DeliveryAction,
  type Disconnect,
  PACKET_NAMES,
  type Packet,
  PacketType,
  ProtocolError,
  type ProtocolVersion,
  type PublishFrame,
  reasonText,
  Verdict,
} from '@tsmqtt/protocol';
import { ClientError } from '../client-error.js';
import { unexpectedAuth } from './greeting.js';
import type { InboundMessages } from './inbound-messages.js';
import { InboundTopics } from './inbound-topics.js';
import type { KeepAlive } from './keep-alive.js';
import type { OutboundMessages } from './outbound-messages.js';
import type { Requests } from './requests.js';

/** Those of a session who want to know what the server sends. */
export interface PacketReceivers {
  readonly inbound: InboundMessages;
  readonly outbound: OutboundMessages;
  readonly requests: Requests;
  readonly keepAlive: KeepAlive;
}

/** Brings the packets of a connection, from CONNACK on, to those they are for. */
export class LivePackets {
  readonly #version: ProtocolVersion;
  readonly #receivers: PacketReceivers;
  #topics = new InboundTopics(0);

  constructor(version: ProtocolVersion, receivers: PacketReceivers) {
    this.#version = version;
    this.#receivers = receivers;
  }

  /** A new connection. @param topicAliasMaximum What we told the server. */
  restart(topicAliasMaximum: number): void {
    this.#topics = new InboundTopics(topicAliasMaximum);
  }

  /**
   * @returns What the stream is to do, or why the connection is over.
   * @throws ProtocolError for what a server may not send.
   */
  receive(packet: Packet): Verdict | ClientError {
    const { inbound, outbound, requests, keepAlive } = this.#receivers;
    switch (packet.type) {
      case PacketType.PUBLISH:
        return inbound.publish(this.#topics.named(packet as PublishFrame));
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBCOMP:
        if (outbound.acknowledge(packet) !== DeliveryAction.VIOLATION) return Verdict.CONTINUE;
        throw new ProtocolError(
          'acknowledgement',
          `${PACKET_NAMES[packet.type]} does not answer what was sent`,
        );
      case PacketType.PUBREL:
        return inbound.pubrel(packet.packetId);
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
        requests.answer(packet);
        return Verdict.CONTINUE;
      case PacketType.PINGRESP:
        keepAlive.pingresp();
        return Verdict.CONTINUE;
      case PacketType.DISCONNECT:
        // Before MQTT 5 only clients say so.
        if (this.#version === 5) return serverDisconnect(packet);
        break;
      case PacketType.AUTH:
        return unexpectedAuth(packet.reasonCode);
    }
    throw new ProtocolError('packet-type', `a server may not send ${PACKET_NAMES[packet.type]} now`);
  }
}

function serverDisconnect({ reasonCode, properties }: Disconnect): ClientError {
  const message = `the server ended the connection: ${reasonText(reasonCode)}`;
  return new ClientError('server-disconnect', message, { reasonCode, properties });
}
