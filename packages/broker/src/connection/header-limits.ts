import { MalformedPacketError, PacketType, type ProtocolVersion } from '@tsmqtt/protocol';

/** Largest Remaining Length by packet type, checked before a byte of the body is kept (broker §9.1). */
const LIMITS: readonly {
  readonly type: PacketType;
  readonly largest: number;
  readonly from: ProtocolVersion;
}[] = [
  { type: PacketType.CONNECT, largest: 100_000, from: 3 },
  { type: PacketType.AUTH, largest: 100_000, from: 3 },
  { type: PacketType.SUBSCRIBE, largest: 100_000, from: 5 },
  { type: PacketType.UNSUBSCRIBE, largest: 100_000, from: 5 },
  { type: PacketType.PUBACK, largest: 10_000, from: 5 },
  { type: PacketType.PUBREC, largest: 10_000, from: 5 },
  { type: PacketType.PUBREL, largest: 10_000, from: 5 },
  { type: PacketType.PUBCOMP, largest: 10_000, from: 5 },
  { type: PacketType.DISCONNECT, largest: 10_000, from: 5 },
];

const BY_TYPE = new Map<number, (typeof LIMITS)[number]>(LIMITS.map((row) => [row.type, row]));

/** @throws MalformedPacketError `header-limit`: the connection is closed without DISCONNECT. */
export function headerLimits(firstByte: number, remainingLength: number, version: ProtocolVersion): void {
  if (remainingLength <= 10_000) return;
  const limit = BY_TYPE.get(firstByte >> 4);
  if (limit !== undefined && version >= limit.from && remainingLength > limit.largest) {
    throw new MalformedPacketError(
      'header-limit',
      `packet of type ${firstByte >> 4} has ${remainingLength} bytes`,
    );
  }
}
