import {
  type Connect,
  PacketType,
  type Properties,
  type ProtocolVersion,
  UsageError,
  validTopicName,
  type Will,
} from '@tsmqtt/protocol';
import { outgoingProperties } from './outgoing-properties.js';
import type { SessionSettings } from './session-settings.js';

const LARGEST_INT16 = 65_535;

/**
 * The CONNECT that a client sends on each of its connections (3.1).
 *
 * @throws UsageError for settings that have no CONNECT.
 */
export function connectPacket(settings: SessionSettings, clientId: string): Connect {
  const { protocolVersion, keepAlive, will, username, password } = settings;
  if (!Number.isInteger(keepAlive) || keepAlive < 0 || keepAlive > LARGEST_INT16) {
    throw new UsageError('keep-alive', `Keep Alive is 0 to ${LARGEST_INT16} seconds, not ${keepAlive}`);
  }
  // [MQTT311-3.1.2-22]; MQTT 5 allows a password alone.
  if (protocolVersion !== 5 && password !== undefined && username === undefined) {
    throw new UsageError('password-without-username', 'a password without a user name needs MQTT 5');
  }
  const properties = outgoingProperties(settings.properties, 'CONNECT', protocolVersion);
  // 3.1.2.11.10
  if (has(properties, 'authenticationData') && !has(properties, 'authenticationMethod')) {
    throw new UsageError('authentication-data', 'authentication-data needs authentication-method');
  }
  return {
    type: PacketType.CONNECT,
    protocolVersion,
    bridge: false,
    cleanStart: settings.cleanStart,
    keepAlive,
    clientId,
    will: will === undefined ? undefined : checkedWill(will, protocolVersion),
    username,
    password,
    properties,
  };
}

function has(properties: Properties, name: Properties[number]['name']): boolean {
  return properties.some((entry) => entry.name === name);
}

function checkedWill(will: Will, version: ProtocolVersion): Will {
  if (!validTopicName(will.topic)) {
    throw new UsageError('topic-name', `${JSON.stringify(will.topic)} is not a Topic Name for a will`);
  }
  return { ...will, properties: outgoingProperties(will.properties, 'WILL', version) };
}
