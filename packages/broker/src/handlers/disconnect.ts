import { type Disconnect, ProtocolError, property, ReasonCode, Verdict } from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';

/**
 * DISCONNECT (3.14.4): the client leaves; nothing after it is processed [MQTT-3.14.4-1] [MQTT-3.14.4-2]
 * [MQTT311-3.14.4-1] [MQTT311-3.14.4-2].
 */
export function handleDisconnect(connection: Connection, packet: Disconnect): Verdict {
  const expiry = property(packet.properties, 'sessionExpiryInterval');
  const { session } = connection;
  if (expiry !== undefined && session !== undefined) {
    // A session that was to end with the connection cannot be kept afterwards (3.14.2.2.2).
    if (session.expiryInterval === 0 && expiry !== 0) {
      throw new ProtocolError(
        'session-expiry',
        'DISCONNECT sets a Session Expiry Interval where CONNECT had none',
      );
    }
    session.expiryInterval = expiry;
  }
  // [MQTT-3.14.4-3] [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT311-3.14.4-3] [MQTT311-3.1.2-10]: only a normal disconnection discards the will (broker §9.5).
  connection.close(packet.reasonCode === ReasonCode.SUCCESS ? 'disconnected' : 'disconnectedWithWill');
  return Verdict.PAUSE;
}
