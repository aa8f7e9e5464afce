import { type Connack, type ProtocolVersion, property, type QoS, ReasonCode } from '@tsmqtt/protocol';
import { ClientError } from '../client-error.js';

/** What the server said in CONNACK that it can take (MQTT 5, 3.2.2.3). */
export interface ServerLimits {
  /** Messages of QoS 1 and 2 that may be unacknowledged. */
  readonly receiveMaximum: number;
  /** Largest packet in bytes. */
  readonly maximumPacketSize: number;
  readonly maximumQoS: QoS;
  readonly retainAvailable: boolean;
  /** Highest Topic Alias. */
  readonly topicAliasMaximum: number;
  /** Seconds. */
  readonly keepAlive: number;
}

/** @param own What holds where CONNACK says nothing, as all of them do before MQTT 5. */
export function serverLimits(
  connack: Connack,
  version: ProtocolVersion,
  own: { readonly maximumInflight: number; readonly keepAlive: number },
): ServerLimits {
  const properties = version === 5 ? connack.properties : [];
  return {
    // [MQTT-3.3.4-7] [MQTT-4.9.0-1]
    receiveMaximum: property(properties, 'receiveMaximum') ?? own.maximumInflight,
    maximumPacketSize: property(properties, 'maximumPacketSize') ?? Number.POSITIVE_INFINITY,
    maximumQoS: (property(properties, 'maximumQoS') ?? 2) as QoS,
    retainAvailable: property(properties, 'retainAvailable') !== 0,
    // Without it, none [MQTT-3.2.2-18].
    topicAliasMaximum: property(properties, 'topicAliasMaximum') ?? 0,
    // [MQTT-3.1.2-21] [MQTT-3.2.2-21]
    keepAlive: property(properties, 'serverKeepAlive') ?? own.keepAlive,
  };
}

/** Why a message of this QoS cannot be sent [MQTT-3.2.2-11]. */
export function qosObjection(qos: QoS, limits: ServerLimits): ClientError | undefined {
  if (qos <= limits.maximumQoS) return undefined;
  return new ClientError('qos-not-supported', `the server takes QoS ${limits.maximumQoS} at most`, {
    reasonCode: ReasonCode.QOS_NOT_SUPPORTED,
  });
}

/** Why a packet of so many bytes cannot be sent [MQTT-3.2.2-15]. */
export function sizeObjection(size: number, limits: ServerLimits): ClientError | undefined {
  if (size <= limits.maximumPacketSize) return undefined;
  return new ClientError(
    'packet-too-large',
    `a packet of ${size} bytes is over the server's limit of ${limits.maximumPacketSize}`,
    { reasonCode: ReasonCode.PACKET_TOO_LARGE },
  );
}
