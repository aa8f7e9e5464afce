import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  type Acknowledgement,
  decodeFrame,
  encodePacket,
  Framer,
  NO_PROPERTIES,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type Publish,
} from '@tsmqtt/protocol';
import { onTestFinished } from 'vitest';

/** One connection of a scripted broker. */
export interface Peer {
  readonly socket: Socket;
  /** Number of the connection, from 1. */
  readonly number: number;
  version: ProtocolVersion;
  send(packet: Packet): void;
}

export interface ScriptedBroker {
  readonly port: number;
  /** `-h` and `-p` for it. */
  readonly at: readonly string[];
  /** Every packet of every connection, in order. */
  readonly received: Packet[];
  /** Waits until `found` holds for what was received. */
  until(found: (received: readonly Packet[]) => boolean): Promise<void>;
}

/** A broker that answers each packet as the test says; `true` leaves the packet to {@link polite}. */
export async function scriptedBroker(
  answer: (packet: Packet, peer: Peer) => unknown = () => true,
): Promise<ScriptedBroker> {
  const received: Packet[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    const framer = new Framer();
    const peer: Peer = {
      socket,
      number: ++connections,
      version: 4,
      send: (packet) => socket.write(encodePacket(packet, peer.version)),
    };
    socket.on('data', (chunk) => {
      framer.push(chunk);
      while (framer.next()) {
        const packet = decodeFrame(framer.source, framer.frameStart, framer.start, framer.end, peer.version);
        if (packet.type === PacketType.CONNECT) peer.version = packet.protocolVersion;
        received.push(packet);
        for (const check of waiting) check();
        if (answer(packet, peer) === true) polite(packet, peer);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    at: ['-h', '127.0.0.1', '-p', String(port)],
    received,
    until: (found) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!found(received)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** What a broker without opinions answers. */
export function polite(packet: Packet, peer: Peer): void {
  const reply = replyTo(packet, peer.version);
  if (reply !== undefined) peer.send(reply);
  if (packet.type === PacketType.DISCONNECT) peer.socket.end();
}

function replyTo(packet: Packet, version: ProtocolVersion): Packet | undefined {
  switch (packet.type) {
    case PacketType.CONNECT:
      return connack(0);
    case PacketType.PUBLISH:
      if (packet.qos === 0) return undefined;
      return acknowledgement(packet.qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packet.packetId);
    case PacketType.PUBREC:
      return acknowledgement(PacketType.PUBREL, packet.packetId);
    case PacketType.PUBREL:
      return acknowledgement(PacketType.PUBCOMP, packet.packetId);
    case PacketType.SUBSCRIBE: {
      const granted = packet.subscriptions.map((request) => request.qos);
      return suback(packet.packetId, granted);
    }
    case PacketType.UNSUBSCRIBE: {
      const reasonCodes = version === 5 ? packet.filters.map(() => 0) : [];
      return { type: PacketType.UNSUBACK, packetId: packet.packetId, reasonCodes, properties: NO_PROPERTIES };
    }
    case PacketType.PINGREQ:
      return { type: PacketType.PINGRESP };
    default:
      return undefined;
  }
}

export function connack(reasonCode: number, properties: Properties = NO_PROPERTIES): Packet {
  return { type: PacketType.CONNACK, sessionPresent: false, reasonCode, properties };
}

export function suback(packetId: number, reasonCodes: readonly number[]): Packet {
  return { type: PacketType.SUBACK, packetId, reasonCodes, properties: NO_PROPERTIES };
}

export function acknowledgement(
  type: Acknowledgement['type'],
  packetId: number,
  reasonCode = 0,
  properties: Properties = NO_PROPERTIES,
): Packet {
  return { type, packetId, reasonCode, properties };
}

export function message(
  topic: string,
  payload: string | Uint8Array,
  changes: Partial<Publish> = {},
): Publish {
  return {
    type: PacketType.PUBLISH,
    topic,
    payload: Buffer.from(payload as string),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: NO_PROPERTIES,
    ...changes,
  };
}

/** Names of packets, which tell a conversation at a glance. */
export function names(packets: readonly Packet[]): string[] {
  return packets.map(
    (packet) => (Object.entries(PacketType).find(([, type]) => type === packet.type) as [string, number])[0],
  );
}
