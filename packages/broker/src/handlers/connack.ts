import type { Connect, Property } from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import type { Admission } from './admission.js';

/**
 * In the order of broker §9.3. Never Response Information [MQTT-3.1.2-28], Reason String [MQTT-3.2.2-19], User Property
 * [MQTT-3.2.2-20].
 */
export function connackProperties(
  connection: Connection,
  { packet, clientId, assigned, keepAlive, sessionExpiryInterval }: Admission,
  authData: Uint8Array | undefined,
): Property[] {
  const { settings } = connection.engine;
  const { maximumQoS } = connection;
  const { maxTopicAlias } = connection.listener;
  const properties: Property[] = [];
  if (sessionExpiryInterval !== undefined)
    properties.push({ name: 'sessionExpiryInterval', value: sessionExpiryInterval });
  if (keepAlive !== packet.keepAlive) properties.push({ name: 'serverKeepAlive', value: keepAlive });
  if (maxTopicAlias > 0) properties.push({ name: 'topicAliasMaximum', value: maxTopicAlias });
  // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
  if (assigned) properties.push({ name: 'assignedClientIdentifier', value: clientId });
  if (!settings.retainAvailable) properties.push({ name: 'retainAvailable', value: 0 });
  properties.push({ name: 'maximumPacketSize', value: settings.maxPacketSize });
  if (connection.receiveMaximum > 0)
    properties.push({ name: 'receiveMaximum', value: connection.receiveMaximum });
  // [MQTT-3.2.2-9]
  if (maximumQoS < 2) properties.push({ name: 'maximumQoS', value: maximumQoS });
  // [MQTT-4.12.0-5] [MQTT-4.12.0-6]
  if (connection.authentication !== undefined)
    properties.push(...connection.authentication.properties(authData));
  return properties;
}

export function logAccepted(connection: Connection, packet: Connect, keepAlive: number): void {
  const { engine, peer, clientId, credentials } = connection;
  if (!engine.settings.connectionMessages) return;
  const user = credentials.username === undefined ? '' : `, u'${credentials.username}'`;
  const clean = packet.cleanStart ? 1 : 0;
  engine.log.notice(
    `New ${connection.bridge ? 'bridge' : 'client'} connected from ${peer.address}:${peer.port} as ${clientId} (p${packet.protocolVersion}, c${clean}, k${keepAlive}${user}).`,
  );
  const { encryption } = peer;
  if (encryption !== undefined) {
    engine.log.notice(`Client ${clientId} negotiated ${encryption.version} cipher ${encryption.cipher}`);
  }
}
