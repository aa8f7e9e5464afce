import { connect, type Socket } from 'node:net';
import {
  encodePacket,
  type Packet,
  PacketStream,
  PacketType,
  type ProtocolVersion,
  type PublishFrame,
  type QoS,
  Verdict,
} from '@tsmqtt/protocol';

/** A message that a client has sent and the broker has not acknowledged in full. */
interface Pending {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 1 | 2;
  readonly packetId: number;
  released: boolean;
}

/** What a message says of itself: who sent it, and the how manieth of that topic and QoS it is. */
export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
}

const EXPIRY = 3600;

/**
 * A client with a session that outlives its connections, on both sides: what is not acknowledged is sent again, what
 * came at QoS 2 is not taken twice (4.3.3). It does nothing but what the specification asks of a client.
 */
export class SoakClient {
  readonly #pending = new Map<number, Pending>();
  readonly #releasing = new Set<number>();
  #lastPacketId = 0;
  #socket: Socket | undefined;
  readonly #waiting = new Set<() => void>();
  #connected = false;
  #subscribed = false;
  /** Times that CONNACK did not know the session any more. */
  lost = 0;

  constructor(
    readonly port: number,
    readonly clientId: string,
    readonly version: ProtocolVersion,
    /** A message has come; not again those of QoS 2 that came before. */
    readonly received: (message: Received) => void = () => {},
    /** A message has been acknowledged in full. */
    readonly acknowledged: (payload: string) => void = () => {},
  ) {}

  get connected(): boolean {
    return this.#connected;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Opens a connection, over the one that may still be open, and goes on with the session. */
  async connect(options: { readonly clean?: boolean } = {}): Promise<void> {
    const { clean = false } = options;
    if (clean) this.#forget();
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    const stream = new PacketStream({ packet: (packet) => this.#packet(socket, packet, clean) });
    stream.version = this.version;
    this.#connected = false;
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      // What an old connection still has belongs to nobody: its session has gone on without it.
      if (this.#socket === socket) stream.receive(chunk);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket === socket) this.#connected = false;
      this.#wake();
    });
    this.#send({
      type: PacketType.CONNECT,
      protocolVersion: this.version,
      bridge: false,
      cleanStart: clean,
      keepAlive: 0,
      clientId: this.clientId,
      will: {
        topic: `will/${this.clientId}`,
        payload: Buffer.from('gone'),
        qos: 1,
        retain: false,
        properties: [],
      },
      username: undefined,
      password: undefined,
      properties: this.version === 5 ? [{ name: 'sessionExpiryInterval', value: clean ? 0 : EXPIRY }] : [],
    });
    await this.until(() => this.#connected || socket.destroyed);
  }

  async subscribe(filter: string, qos: QoS): Promise<void> {
    const subscriptions = [
      { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 as const },
    ];
    this.#subscribed = false;
    this.#send({ type: PacketType.SUBSCRIBE, packetId: 65_535, subscriptions, properties: [] });
    await this.until(() => this.#subscribed || !this.#connected);
  }

  publish(topic: string, payload: string, qos: QoS): void {
    if (qos === 0) {
      this.#send(this.#publish(topic, payload, 0, 0, false));
      return;
    }
    do this.#lastPacketId = (this.#lastPacketId % 65_000) + 1;
    while (this.#pending.has(this.#lastPacketId));
    const packetId = this.#lastPacketId;
    this.#pending.set(packetId, { topic, payload, qos, packetId, released: false });
    this.#send(this.#publish(topic, payload, qos, packetId, false));
  }

  /** The connection ends as connections do that break. */
  die(): void {
    this.#connected = false;
    this.#socket?.destroy();
  }

  async disconnect(): Promise<void> {
    const socket = this.#socket;
    this.#send({ type: PacketType.DISCONNECT, reasonCode: 0, properties: [] });
    await this.until(() => socket?.destroyed !== false);
  }

  /** Waits for a condition that packets or the end of the connection bring about. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  #forget(): void {
    this.#pending.clear();
    this.#releasing.clear();
  }

  #publish(topic: string, payload: string, qos: QoS, packetId: number, dup: boolean): Packet {
    const type = PacketType.PUBLISH;
    return { type, topic, payload: Buffer.from(payload), qos, retain: false, dup, packetId, properties: [] };
  }

  #send(packet: Packet): void {
    if (this.#socket?.writable) this.#socket.write(encodePacket(packet, this.version));
  }

  #acknowledge(type: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP', packetId: number): void {
    this.#send({ type: PacketType[type], packetId, reasonCode: 0, properties: [] });
  }

  #packet(socket: Socket, packet: Packet, clean: boolean): Verdict {
    if (this.#socket !== socket) return Verdict.CONTINUE;
    switch (packet.type) {
      case PacketType.CONNACK:
        this.#accepted(packet.sessionPresent, clean);
        break;
      case PacketType.SUBACK:
        this.#subscribed = true;
        break;
      case PacketType.PUBLISH:
        this.#message(packet as PublishFrame);
        break;
      case PacketType.PUBACK:
      case PacketType.PUBCOMP:
        this.#complete(packet.packetId);
        break;
      case PacketType.PUBREC: {
        const pending = this.#pending.get(packet.packetId);
        if (pending !== undefined) pending.released = true;
        this.#acknowledge('PUBREL', packet.packetId);
        break;
      }
      case PacketType.PUBREL:
        this.#releasing.delete(packet.packetId);
        this.#acknowledge('PUBCOMP', packet.packetId);
        break;
      default:
    }
    return Verdict.CONTINUE;
  }

  #accepted(present: boolean, clean: boolean): void {
    this.#connected = true;
    if (!present) {
      // 3.1 does not tell.
      if (!clean && this.version > 3 && this.#lastPacketId > 0) this.lost++;
      if (this.version > 3) this.#releasing.clear();
    }
    for (const { topic, payload, qos, packetId, released } of this.#pending.values()) {
      if (released) this.#acknowledge('PUBREL', packetId);
      else this.#send(this.#publish(topic, payload, qos, packetId, true));
    }
  }

  #message({ topic, payload, qos, packetId }: PublishFrame): void {
    const known = qos === 2 && this.#releasing.has(packetId);
    if (qos === 2) this.#releasing.add(packetId);
    if (!known) this.received({ topic, payload: Buffer.from(payload).toString(), qos });
    if (qos === 1) this.#acknowledge('PUBACK', packetId);
    if (qos === 2) this.#acknowledge('PUBREC', packetId);
  }

  #complete(packetId: number): void {
    const pending = this.#pending.get(packetId);
    if (pending === undefined) return;
    this.#pending.delete(packetId);
    this.acknowledged(pending.payload);
  }
}
