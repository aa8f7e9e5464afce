import { type Auth, ProtocolError } from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';

/**
 * No authentication method can have been agreed on, so every AUTH breaks the protocol [MQTT-4.12.0-7]
 * (broker §9.13), and none is sent [MQTT-4.12.0-6].
 */
export function handleAuth(_connection: Connection, _packet: Auth): never {
  throw new ProtocolError('auth-unexpected', 'AUTH without an agreed Authentication Method');
}
