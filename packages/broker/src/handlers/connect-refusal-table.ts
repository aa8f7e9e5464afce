import { ReasonCode } from '@tsmqtt/protocol';
import type { CloseReason } from '../connection/close-reason-table.js';

/** How a CONNECT is refused: return code of CONNACK in 3.x, Reason Code in MQTT 5; undefined closes without CONNACK. */
export interface Refusal {
  readonly v3: number | undefined;
  readonly v5: number | undefined;
  readonly reason: CloseReason;
}

/** Return codes of CONNACK before MQTT 5 (3.1.1, table 3.1). */
const V3 = { VERSION: 1, IDENTIFIER: 2, BAD_CREDENTIALS: 4, NOT_AUTHORISED: 5 } as const;

/**
 * Refusals of a CONNECT that decodes (broker §9.2), with codes that CONNACK has [MQTT-3.2.2-8]. `busy` is a transient
 * error [MQTT311-4.8.0-2].
 */
// biome-ignore format: one row a line
export const REFUSALS = {
  version:           { v3: V3.VERSION, v5: ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, reason: 'unsupportedVersion' },
  willRetain:        { v3: undefined, v5: ReasonCode.RETAIN_NOT_SUPPORTED, reason: 'disallowedFeature' },
  willQoS:           { v3: undefined, v5: ReasonCode.QOS_NOT_SUPPORTED, reason: 'disallowedFeature' },
  willTooLarge:      { v3: V3.NOT_AUTHORISED, v5: ReasonCode.PACKET_TOO_LARGE, reason: 'notAuthorised' },
  willTopicControl:  { v3: undefined, v5: undefined, reason: 'protocolError' },
  authMethod:        { v3: undefined, v5: ReasonCode.BAD_AUTHENTICATION_METHOD, reason: 'badAuthMethod' },
  emptyClientId:     { v3: V3.IDENTIFIER, v5: ReasonCode.UNSPECIFIED_ERROR, reason: 'clientIdNotValid' },
  keepAlive:         { v3: V3.IDENTIFIER, v5: undefined, reason: 'clientIdNotValid' },
  credentials:       { v3: V3.NOT_AUTHORISED, v5: ReasonCode.NOT_AUTHORIZED, reason: 'notAuthorised' },
  identity:          { v3: V3.BAD_CREDENTIALS, v5: ReasonCode.BAD_USER_NAME_OR_PASSWORD, reason: 'badCredentials' },
  busy:              { v3: undefined, v5: ReasonCode.SERVER_BUSY, reason: 'serverBusy' },
  tooManyClients:    { v3: undefined, v5: ReasonCode.SERVER_BUSY, reason: 'quotaExceeded' },
  packetTooSmall:    { v3: undefined, v5: undefined, reason: 'oversizePacket' },
} as const satisfies Record<string, Refusal>;
