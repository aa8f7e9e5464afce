import {
  type Acknowledgement,
  DeliveryAction,
  PacketType,
  ProtocolError,
  ReasonCode,
  Verdict,
} from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import type { Session } from '../session/session.js';

/** PUBACK, PUBREC and PUBCOMP: answers to what this broker sent (4.3). */
export function handleAcknowledgement(connection: Connection, packet: Acknowledgement): Verdict {
  const session = connection.session as Session;
  if (session.outbound.acknowledge(packet) === DeliveryAction.VIOLATION) {
    throw new ProtocolError(
      'acknowledgement',
      `packet ${packet.type} does not answer message ${packet.packetId}`,
    );
  }
  session.pressure.drained();
  return Verdict.CONTINUE;
}

/**
 * PUBREL: releases a QoS 2 message, which is routed now and only now (broker §9.7). PUBCOMP comes in any case
 * [MQTT-4.3.3-11] [MQTT311-4.3.3-2], also where the message has expired [MQTT-4.3.3-13].
 */
export function handlePubrel(connection: Connection, packet: Acknowledgement): Verdict {
  const { engine } = connection;
  const session = connection.session as Session;
  const message = session.inbound.get(packet.packetId);
  if (message !== undefined) {
    const held = engine.router.holding(message.topic, session);
    if (held !== undefined) return connection.waitFor(held);
    session.inbound.release(packet.packetId);
    session.saved?.handedOn(packet.packetId);
    engine.router.publish(message, session);
  }
  connection.writer.acknowledge(PacketType.PUBCOMP, packet.packetId, ReasonCode.SUCCESS);
  return Verdict.CONTINUE;
}
