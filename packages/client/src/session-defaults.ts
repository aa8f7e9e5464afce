import { NO_PROPERTIES } from '@tsmqtt/protocol';
import type { ConnectOptions } from './connect-options.js';
import type { SessionSettings } from './session/session-settings.js';

const DEFAULT_KEEP_ALIVE = 60;
/** Mosquitto's default window (design §4). */
const DEFAULT_MAXIMUM_INFLIGHT = 20;

/** What the caller's options come to. */
export function sessionSettings(options: ConnectOptions): SessionSettings {
  return {
    protocolVersion: options.protocolVersion ?? 5,
    clientId: options.clientId ?? '',
    cleanStart: options.cleanStart ?? true,
    resumeSession: options.resumeSession ?? false,
    keepAlive: options.keepAlive ?? DEFAULT_KEEP_ALIVE,
    username: options.username,
    password: options.password,
    will: options.will,
    enforceReceiveMaximum: options.enforceReceiveMaximum ?? true,
    properties: options.properties ?? NO_PROPERTIES,
    ignoreTopicAliasMaximum: options.ignoreTopicAliasMaximum ?? false,
    maximumInflight: options.maximumInflight ?? DEFAULT_MAXIMUM_INFLIGHT,
    holdAcknowledgements: options.holdAcknowledgements ?? false,
    onPacket: options.onPacket,
  };
}
