import { randomUUID } from 'node:crypto';
import { type Connect, property, type Will } from '@tsmqtt/protocol';
import type { AuthMethod } from '../auth/auth-method.js';
import { authMethodOf } from '../auth/authentication.js';
import type { Connection } from '../connection/connection.js';
import { REFUSALS, type Refusal } from './connect-refusal-table.js';

/** What was found out about a CONNECT before its credentials were checked. */
export interface Admission {
  readonly packet: Connect;
  /** With the topic that it means behind a mount point. */
  readonly will: Will | undefined;
  readonly clientId: string;
  /** The broker made the Client Identifier up [MQTT-3.1.3-6] [MQTT311-3.1.3-6]. */
  readonly assigned: boolean;
  readonly keepAlive: number;
  /** Seconds, where the host program wants it otherwise than the client. */
  readonly sessionExpiryInterval?: number | undefined;
  /** Decides by an exchange of AUTH packets; undefined: User Name and Password decide. */
  readonly method: AuthMethod | undefined;
}

/** Checks that go by the CONNECT and the settings alone, in the order of broker §9.2. */
export function admit(connection: Connection, packet: Connect): Admission | Refusal {
  const { engine, realm } = connection;
  const { settings } = engine;
  const { will } = packet;
  if (will !== undefined) {
    // [MQTT-3.2.2-13] [MQTT-3.2.2-12]
    if (will.retain && !settings.retainAvailable) return REFUSALS.willRetain;
    if (will.qos > connection.maximumQoS) return REFUSALS.willQoS;
    if (settings.messageSizeLimit > 0 && will.payload.length > settings.messageSizeLimit)
      return REFUSALS.willTooLarge;
    if (will.topic.startsWith('$CONTROL/')) return REFUSALS.willTopicControl;
  }
  const methodName = property(packet.properties, 'authenticationMethod');
  const method = methodName === undefined ? undefined : authMethodOf(connection, methodName);
  // [MQTT-4.12.0-1]
  if (methodName !== undefined && method === undefined) return REFUSALS.authMethod;
  const assigned = packet.clientId === '';
  if (assigned && !mayBeAssigned(packet, realm.allowZeroLengthClientId)) return REFUSALS.emptyClientId;
  const limit = settings.maxKeepAlive;
  const tooLong = limit > 0 && (packet.keepAlive === 0 || packet.keepAlive > limit);
  // MQTT 5 is told another value as Server Keep Alive; 3.x has no way to be told (broker §9.2).
  if (tooLong && packet.protocolVersion !== 5) return REFUSALS.keepAlive;
  const { mountPoint } = connection;
  return {
    packet,
    will: will && mountPoint ? { ...will, topic: mountPoint.topic(will.topic) } : will,
    // Of any length and any text [MQTT-3.1.3-5] [MQTT311-3.1.3-5].
    clientId: assigned ? realm.autoIdPrefix + randomUUID().toUpperCase() : packet.clientId,
    assigned,
    keepAlive: tooLong ? limit : packet.keepAlive,
    method,
  };
}

/** 3.1 never; 3.1.1 only with Clean Session [MQTT311-3.1.3-7] [MQTT311-3.1.3-8]; MQTT 5 always, if the configuration lets it. */
function mayBeAssigned(packet: Connect, allowed: boolean): boolean {
  if (packet.protocolVersion === 3 || !allowed) return false;
  return packet.protocolVersion === 5 || packet.cleanStart;
}
