import type { PacketType } from './packet-type.js';
import type { Properties } from './property-table.js';
import type { ProtocolVersion, QoS } from './version.js';

/** The will inside CONNECT (3.1.2.5, 3.1.3.2 to 3.1.3.4). */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** CONNECT (3.1). */
export interface Connect {
  readonly type: typeof PacketType.CONNECT;
  readonly protocolVersion: ProtocolVersion;
  /** The bridge bit 0x80 of the Protocol Level, which bridges of Mosquitto's kind set in 3.1 and 3.1.1. */
  readonly bridge: boolean;
  /** Clean Start (MQTT 5) or Clean Session (3.x), 3.1.2.4. */
  readonly cleanStart: boolean;
  /** Keep Alive in seconds, 0 to 65535; 0 switches it off (3.1.2.10). */
  readonly keepAlive: number;
  /** Client Identifier; may be empty where the version allows it (3.1.3.1). */
  readonly clientId: string;
  readonly will: Will | undefined;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly properties: Properties;
}

/** CONNACK (3.2). */
export interface Connack {
  readonly type: typeof PacketType.CONNACK;
  readonly sessionPresent: boolean;
  /** Reason Code in MQTT 5, return code 0 to 5 in 3.x. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** PUBLISH (3.3). */
export interface Publish {
  readonly type: typeof PacketType.PUBLISH;
  /** Topic Name; empty only in MQTT 5 with a Topic Alias (3.3.2.3.4). */
  readonly topic: string;
  /** Application Message. When decoded, a view of the received chunk: copy it to keep it. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 1 to 65535 with QoS 1 and 2, 0 with QoS 0. */
  readonly packetId: number;
  readonly properties: Properties;
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP (3.4 to 3.7): one layout. */
export interface Acknowledgement {
  readonly type:
    | typeof PacketType.PUBACK
    | typeof PacketType.PUBREC
    | typeof PacketType.PUBREL
    | typeof PacketType.PUBCOMP;
  readonly packetId: number;
  /** 0 in 3.x, which has none. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** One Topic Filter of a SUBSCRIBE with its options (3.8.3). */
export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: QoS;
  /** MQTT 5 options; false, false and 0 in 3.x. */
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Retain Handling: 0 send, 1 send only for a new subscription, 2 do not send. */
  readonly retainHandling: 0 | 1 | 2;
}

/** SUBSCRIBE (3.8). */
export interface Subscribe {
  readonly type: typeof PacketType.SUBSCRIBE;
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties;
}

/** SUBACK (3.9). */
export interface Suback {
  readonly type: typeof PacketType.SUBACK;
  readonly packetId: number;
  /** One per Topic Filter, in order. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** UNSUBSCRIBE (3.10). */
export interface Unsubscribe {
  readonly type: typeof PacketType.UNSUBSCRIBE;
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

/** UNSUBACK (3.11). */
export interface Unsuback {
  readonly type: typeof PacketType.UNSUBACK;
  readonly packetId: number;
  /** One per Topic Filter in MQTT 5; empty in 3.x, which has none. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** PINGREQ (3.12). */
export interface Pingreq {
  readonly type: typeof PacketType.PINGREQ;
}

/** PINGRESP (3.13). */
export interface Pingresp {
  readonly type: typeof PacketType.PINGRESP;
}

/** DISCONNECT (3.14). */
export interface Disconnect {
  readonly type: typeof PacketType.DISCONNECT;
  /** 0 in 3.x, which has none. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** AUTH (3.15), MQTT 5 only. */
export interface Auth {
  readonly type: typeof PacketType.AUTH;
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** Any MQTT Control Packet; `type` tells them apart. */
export type Packet =
  | Connect
  | Connack
  | Publish
  | Acknowledgement
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Pingreq
  | Pingresp
  | Disconnect
  | Auth;
