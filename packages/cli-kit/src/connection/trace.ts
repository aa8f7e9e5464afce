import { PACKET_NAMES, type Packet, PacketType, property } from '@tsmqtt/protocol';

/** Writes the lines of `-d` (cli §16). Remembers the client identifier, which an MQTT 5 broker may assign. */
export class Trace {
  #clientId = '';
  /** Packet identifier of the newest request. QoS 0 messages have none, but take the next one in the log. */
  #newestId = 0;
  /** Messages of QoS 1 and 2 that were sent and are not done. */
  readonly #unacknowledged = new Set<number>();

  /** Lines for a packet, with line ends; empty for one that has none. */
  lines(direction: 'sent' | 'received', packet: Packet): string {
    if (packet.type === PacketType.CONNECT) {
      // After an MQTT 5 broker assigned one, that is what the next CONNECT carries.
      this.#clientId = packet.clientId;
    } else if (packet.type === PacketType.CONNACK) {
      const assigned = property(packet.properties, 'assignedClientIdentifier');
      if (assigned !== undefined) this.#clientId = assigned;
      return `Client ${this.#clientId || '(null)'} received CONNACK (${packet.reasonCode})\n`;
    }
    if (direction === 'received' && packet.type === PacketType.DISCONNECT) {
      return `Received DISCONNECT (${packet.reasonCode})\n`;
    }
    const client = `Client ${this.#clientId || 'null'}`;
    if (direction === 'sent') return this.#sent(client, packet);
    return received(client, packet) + this.#warning(packet);
  }

  /** An answer to nothing. */
  #warning(packet: Packet): string {
    switch (packet.type) {
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBCOMP: {
        const { type, packetId, reasonCode } = packet;
        const known = this.#unacknowledged.has(packetId);
        if (type !== PacketType.PUBREC || reasonCode >= 0x80) this.#unacknowledged.delete(packetId);
        if (known) return '';
        const from = this.#clientId || 'null';
        return `Warning: Received ${PACKET_NAMES[type]} from ${from} for an unknown packet identifier ${packetId}.\n`;
      }
      default:
        return '';
    }
  }

  #sent(client: string, packet: Packet): string {
    switch (packet.type) {
      case PacketType.CONNECT:
        return `${client} sending CONNECT\n`;
      case PacketType.PUBLISH:
        this.#newestId = packet.qos > 0 ? packet.packetId : (this.#newestId % 65535) + 1;
        if (packet.qos > 0) this.#unacknowledged.add(packet.packetId);
        return publishLine(`${client} sending`, packet, this.#newestId);
      case PacketType.PUBACK:
        return `${client} sending PUBACK (m${packet.packetId}, rc${packet.reasonCode})\n`;
      case PacketType.PUBREC:
        return `${client} sending PUBREC (m${packet.packetId}, rc${packet.reasonCode})\n`;
      case PacketType.PUBREL:
        return `${client} sending PUBREL (m${packet.packetId})\n`;
      case PacketType.PUBCOMP:
        return `${client} sending PUBCOMP (m${packet.packetId})\n`;
      case PacketType.SUBSCRIBE:
        this.#newestId = packet.packetId;
        return packet.subscriptions
          .map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => {
            const options = (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4);
            const hex = options.toString(16).padStart(2, '0');
            return `${client} sending SUBSCRIBE (Mid: ${packet.packetId}, Topic: ${filter}, QoS: ${qos}, Options: 0x${hex})\n`;
          })
          .join('');
      case PacketType.UNSUBSCRIBE:
        return packet.filters
          .map((filter) => `${client} sending UNSUBSCRIBE (Mid: ${packet.packetId}, Topic: ${filter})\n`)
          .join('');
      case PacketType.PINGREQ:
        return `${client} sending PINGREQ\n`;
      case PacketType.DISCONNECT:
        return `${client} sending DISCONNECT\n`;
      default:
        return '';
    }
  }
}

function received(client: string, packet: Packet): string {
  switch (packet.type) {
    case PacketType.PUBLISH:
      return publishLine(`${client} received`, packet, packet.packetId);
    case PacketType.PUBACK:
      return `${client} received PUBACK (Mid: ${packet.packetId}, RC:${packet.reasonCode})\n`;
    case PacketType.PUBREC:
      return `${client} received PUBREC (Mid: ${packet.packetId})\n`;
    case PacketType.PUBREL:
      return `${client} received PUBREL (Mid: ${packet.packetId})\n`;
    case PacketType.PUBCOMP:
      return `${client} received PUBCOMP (Mid: ${packet.packetId}, RC:${packet.reasonCode})\n`;
    case PacketType.SUBACK:
      return `${client} received SUBACK\n`;
    case PacketType.UNSUBACK:
      return `${client} received UNSUBACK\n`;
    case PacketType.AUTH:
      return `${client} received AUTH\n`;
    case PacketType.PINGRESP:
      return `${client} received PINGRESP\n`;
    default:
      return '';
  }
}

function publishLine(
  start: string,
  packet: Extract<Packet, { type: typeof PacketType.PUBLISH }>,
  id: number,
): string {
  const { dup, qos, retain, topic, payload } = packet;
  const flags = `d${dup ? 1 : 0}, q${qos}, r${retain ? 1 : 0}, m${id}`;
  return `${start} PUBLISH (${flags}, '${topic}', ... (${payload.length} bytes))\n`;
}
