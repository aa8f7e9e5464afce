import {
  type Connect,
  encodePacket,
  type Packet,
  PacketStream,
  PacketType,
  PeerError,
  type Properties,
  type ProtocolVersion,
  type Publish,
  type QoS,
  type SubscriptionRequest,
  Verdict,
} from '@tsmqtt/protocol';
import type { MemorySocket } from './memory-socket.js';
import { packetText } from './packet-text.js';

/** Bytes, bytes as hex digits with blanks anywhere, or a packet. */
export type Outgoing = Buffer | string | Packet;

export type ConnectFields = Partial<Omit<Connect, 'type'>>;

const CONNECT: Connect = {
  type: PacketType.CONNECT,
  protocolVersion: 4,
  bridge: false,
  cleanStart: true,
  keepAlive: 0,
  clientId: 'client',
  will: undefined,
  username: undefined,
  password: undefined,
  properties: [],
};

export function connectPacket(fields: ConnectFields): Connect {
  return { ...CONNECT, ...fields };
}

export interface PublishFields {
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetId?: number;
  readonly properties?: Properties;
}

export function publishPacket(
  topic: string,
  payload: string | Uint8Array,
  fields: PublishFields = {},
): Publish {
  const { qos = 0, retain = false, dup = false, properties = [] } = fields;
  const packetId = fields.packetId ?? (qos === 0 ? 0 : 1);
  return {
    type: PacketType.PUBLISH,
    topic,
    payload: Buffer.from(payload as string),
    qos,
    retain,
    dup,
    packetId,
    properties,
  };
}

export function acknowledgement(
  type: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP',
  packetId: number,
  reasonCode = 0,
): Packet {
  return { type: PacketType[type], packetId, reasonCode, properties: [] };
}

export type SubscriptionFields = Partial<Omit<SubscriptionRequest, 'filter'>>;

export function subscribePacket(
  filters: Readonly<Record<string, SubscriptionFields | QoS>>,
  packetId = 1,
  properties: Properties = [],
): Packet {
  const subscriptions = Object.entries(filters).map(([filter, given]) => ({
    filter,
    qos: 0 as QoS,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0 as const,
    ...(typeof given === 'number' ? { qos: given } : given),
  }));
  return { type: PacketType.SUBSCRIBE, packetId, subscriptions, properties };
}

export function unsubscribePacket(filters: readonly string[], packetId = 1): Packet {
  return { type: PacketType.UNSUBSCRIBE, packetId, filters, properties: [] };
}

export const PINGREQ: Packet = { type: PacketType.PINGREQ };

export function disconnectPacket(reasonCode = 0, properties: Properties = []): Packet {
  return { type: PacketType.DISCONNECT, reasonCode, properties };
}

export function bytesOf(outgoing: Outgoing, version: ProtocolVersion): Buffer {
  if (typeof outgoing === 'string') return Buffer.from(outgoing.replaceAll(' ', ''), 'hex');
  return Buffer.isBuffer(outgoing) ? outgoing : encodePacket(outgoing, version);
}

/** A client that does nothing by itself: it sends what the test says and keeps what comes. */
export class RawClient {
  /** Called for every packet that comes, before anything else. */
  onPacket: ((packet: Packet) => void) | undefined;
  #stream: PacketStream;
  #bytes: Buffer[] = [];
  #lines: string[] = [];

  constructor(
    readonly socket: MemorySocket,
    /** What the test waits for before it looks at what came. */
    readonly settle: () => Promise<void>,
    public version: ProtocolVersion,
  ) {
    this.#stream = this.#newStream();
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('end', () => this.#lines.push('closed'));
    socket.on('error', () => {});
  }

  #received(chunk: Buffer): void {
    this.#bytes.push(chunk);
    this.#stream.version = this.version;
    try {
      this.#stream.receive(chunk);
    } catch (error) {
      // An answer in the form of another version; `exchange()` shows its bytes.
      if (!(error instanceof PeerError)) throw error;
      this.#lines.push(`undecodable: ${error.code}`);
      this.#stream = this.#newStream();
    }
  }

  #newStream(): PacketStream {
    return new PacketStream({ packet: (packet) => this.#packet(packet) });
  }

  #packet(packet: Packet): Verdict {
    this.#lines.push(packetText(packet));
    this.onPacket?.(packet);
    return Verdict.CONTINUE;
  }

  /** Sends all of it in one piece. */
  write(...outgoing: readonly Outgoing[]): void {
    const bytes = Buffer.concat(outgoing.map((one) => bytesOf(one, this.version)));
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** Sends, waits until everything has settled, and gives what has come since the last look: one line a packet. */
  async send(...outgoing: readonly Outgoing[]): Promise<string[]> {
    this.write(...outgoing);
    return this.take();
  }

  /** As `send`, but gives the bytes that came as hex digits, and whether the connection was closed. */
  async exchange(...outgoing: readonly Outgoing[]): Promise<string> {
    this.write(...outgoing);
    await this.settle();
    const closed = this.#lines.includes('closed') ? 'closed' : '';
    this.#lines = [];
    const bytes = Buffer.concat(this.#bytes);
    this.#bytes = [];
    return [...bytes.toString('hex').matchAll(/../g), closed].join(' ').trim();
  }

  /** What has come since the last look: one line a packet, `closed` for the end. */
  async take(): Promise<string[]> {
    await this.settle();
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = [];
    return lines;
  }

  /** The connection breaks, without DISCONNECT. */
  async vanish(): Promise<void> {
    this.socket.destroy();
    await this.settle();
  }
}
