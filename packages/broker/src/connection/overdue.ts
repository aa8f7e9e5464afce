import { ReasonCode } from '@tsmqtt/protocol';
import type { Connection } from './connection.js';
import { CONNECT_TIMEOUT, Phase } from './phase.js';

/** Closes a connection whose peer has been silent for too long. @param silent Milliseconds since it was last heard of. */
export function closeIfOverdue(connection: Connection, silent: number, now: number): void {
  const { authentication, keepAlive, phase } = connection;
  if (authentication?.isOverdue(now)) {
    // [MQTT-4.12.1-2]; where it is not connected yet, a bare close as for a CONNECT that does not come.
    connection.close('exceededTimeout', ReasonCode.NOT_AUTHORIZED);
  } else if (phase === Phase.NEW) {
    if (silent > CONNECT_TIMEOUT) connection.close('exceededTimeout');
  } else if (keepAlive > 0 && silent > keepAlive * 1500) {
    // [MQTT-3.1.2-22] [MQTT311-3.1.2-24]; a bare close (broker §9.6).
    connection.close('exceededTimeout');
  }
}
