import { PacketType, type Pingreq, Verdict } from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';

/** [MQTT-3.12.4-1] [MQTT311-3.12.4-1] */
export function handlePingreq(connection: Connection, _packet: Pingreq): Verdict {
  connection.send({ type: PacketType.PINGRESP });
  return Verdict.CONTINUE;
}
