/** MQTT Control Packet types (2.1.2). */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;

export type PacketName = keyof typeof PacketType;
export type PacketType = (typeof PacketType)[PacketName];

/** Names by type number; index 0 is reserved by the specification. */
export const PACKET_NAMES: readonly PacketName[] = [
  'CONNECT', // 0 is never used as an index by code that checked the type
  ...(Object.keys(PacketType) as PacketName[]),
];
