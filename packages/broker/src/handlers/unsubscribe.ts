import { NO_PROPERTIES, PacketType, ReasonCode, type Unsubscribe, Verdict } from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import { unsubscribe } from '../routing/subscribing.js';
import type { Session } from '../session/session.js';

/**
 * UNSUBSCRIBE (3.10.4): nothing new is delivered, deliveries in progress are finished [MQTT-3.10.4-2] [MQTT-3.10.4-3]
 * [MQTT311-3.10.4-2] [MQTT311-3.10.4-3].
 */
export function handleUnsubscribe(connection: Connection, packet: Unsubscribe): Verdict {
  const reasonCodes = unsubscribeAll(connection, packet);
  // [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-2.2.1-6]
  // [MQTT311-3.10.4-4] [MQTT311-3.10.4-5] [MQTT311-3.10.4-6] [MQTT311-2.3.1-7]
  // No properties: no Reason String [MQTT-3.11.2-1], no User Property [MQTT-3.11.2-2].
  connection.send({
    type: PacketType.UNSUBACK,
    packetId: packet.packetId,
    reasonCodes,
    properties: NO_PROPERTIES,
  });
  return Verdict.CONTINUE;
}

/** Ends the subscriptions; a Reason Code for each filter. */
export function unsubscribeAll(connection: Connection, packet: Unsubscribe): number[] {
  const { engine, mountPoint } = connection;
  const session = connection.session as Session;
  return packet.filters.map((named) => {
    engine.packetLog?.filter(named);
    const filter = mountPoint === undefined ? named : mountPoint.filter(named);
    if (engine.log.enabled('unsubscribe')) engine.log.unsubscribe(`${session.clientId} ${filter}`);
    if (!unsubscribe(session, filter)) return ReasonCode.NO_SUBSCRIPTION_EXISTED;
    engine.hooks?.afterUnsubscribe(connection, named);
    return ReasonCode.SUCCESS;
  });
}
