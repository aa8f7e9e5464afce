import { PACKET_NAMES, type Packet, PacketType, type Properties } from '@tsmqtt/protocol';

/**
 * A packet in one line, for expectations that can be read:
 *
 *     PUBLISH a/b=payload q1 #7 dup retain subscriptionIdentifier=3
 *     PUBACK #7 0x10
 */
export function packetText(packet: Packet): string {
  return [PACKET_NAMES[packet.type], ...fields(packet), ...properties(packet)].join(' ');
}

function fields(packet: Packet): string[] {
  switch (packet.type) {
    case PacketType.CONNACK:
      return [...(packet.sessionPresent ? ['present'] : []), code(packet.reasonCode)];
    case PacketType.PUBLISH:
      return [
        `${packet.topic}=${Buffer.from(packet.payload).toString()}`,
        ...(packet.qos > 0 ? [`q${packet.qos}`, `#${packet.packetId}`] : []),
        ...(packet.dup ? ['dup'] : []),
        ...(packet.retain ? ['retain'] : []),
      ];
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
      return [`#${packet.packetId}`, ...(packet.reasonCode === 0 ? [] : [code(packet.reasonCode)])];
    case PacketType.SUBACK:
    case PacketType.UNSUBACK:
      return [`#${packet.packetId}`, ...packet.reasonCodes.map(code)];
    case PacketType.DISCONNECT:
    case PacketType.AUTH:
      return [code(packet.reasonCode)];
    default:
      return [];
  }
}

function properties(packet: Packet): string[] {
  const list: Properties = 'properties' in packet ? packet.properties : [];
  return list.map(({ name, value }) =>
    // What SCRAM and the methods of tests say is text.
    name === 'authenticationData' ? `${name}=${Buffer.from(value)}` : `${name}=${text(value)}`,
  );
}

function text(value: string | number | Uint8Array | readonly [string, string]): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'object' ? value.join(':') : String(value);
}

function code(reasonCode: number): string {
  return `0x${reasonCode.toString(16).padStart(2, '0')}`;
}
