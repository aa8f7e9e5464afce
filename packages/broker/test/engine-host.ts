import { once } from 'node:events';
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
import { Realms } from '../src/auth/realm.js';
import { NO_SECRETS, type Secrets } from '../src/auth/secrets.js';
import { Engine } from '../src/engine.js';
import { Listeners } from '../src/listener/listeners.js';
import { silentLog } from '../src/log/log.js';
import { type BrokerSettings, DEFAULT_LISTENER, DEFAULT_SETTINGS } from '../src/settings.js';

/** Loopback, on a free port. */
export const LISTENER = { ...DEFAULT_LISTENER, host: '127.0.0.1', port: 0 };

/** An engine behind a real loopback socket, with its clock and its sweep in the test's hands. */
export class EngineHost {
  /** Milliseconds; only the test moves it. */
  time = 1_000_000_000_000;
  readonly notices: string[] = [];
  readonly engine: Engine;
  #port = 0;
  #listeners: Listeners | undefined;
  readonly #peers: SocketPeer[] = [];

  private constructor(settings: Partial<BrokerSettings>, secrets: Partial<Secrets>) {
    const log = { ...silentLog, notice: (text: string) => void this.notices.push(text) };
    const all = { ...DEFAULT_SETTINGS, sysInterval: 0, listeners: [LISTENER], ...settings };
    const realms = new Realms(all, () => ({ ...NO_SECRETS, ...secrets }));
    this.engine = new Engine(all, log, { now: () => this.time }, realms);
  }

  static async start(
    settings: Partial<BrokerSettings> = {},
    secrets: Partial<Secrets> = {},
  ): Promise<EngineHost> {
    const host = new EngineHost(settings, secrets);
    host.#listeners = await Listeners.open(host.engine);
    host.#port = host.#listeners.sockets[0]?.port ?? 0;
    return host;
  }

  get port(): number {
    return this.#port;
  }

  /** Of all listening sockets, in the order of the listeners. */
  get ports(): readonly number[] {
    return this.#listeners?.sockets.map(({ port }) => port) ?? [];
  }

  /** Lets time pass, one sweep a second. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.time += 1000;
      this.engine.sweep();
      this.#listeners?.sweep();
    }
  }

  async client(
    id: string,
    options: { version?: ProtocolVersion; clean?: boolean; keepAlive?: number; acknowledges?: boolean } = {},
  ): Promise<SocketPeer> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const peer = new SocketPeer(socket, options.version ?? 4);
    peer.acknowledges = options.acknowledges ?? false;
    this.#peers.push(peer);
    peer.send({
      type: PacketType.CONNECT,
      protocolVersion: options.version ?? 4,
      bridge: false,
      cleanStart: options.clean ?? true,
      keepAlive: options.keepAlive ?? 0,
      clientId: id,
      will: undefined,
      username: undefined,
      password: undefined,
      properties: [],
    });
    await peer.next(PacketType.CONNACK);
    return peer;
  }

  async stop(): Promise<void> {
    for (const peer of this.#peers) peer.socket.destroy();
    for (const connection of this.engine.connections) connection.destroy();
    await this.#listeners?.close();
  }
}

/** A client that does what the test says and nothing else: it reads, acknowledges and pings only on request. */
export class SocketPeer {
  /** Payloads of the PUBLISH packets received. */
  readonly payloads: string[] = [];
  /** Acknowledge what comes, at once. */
  acknowledges = false;
  readonly #stream: PacketStream;
  readonly #packets: Packet[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly socket: Socket,
    version: ProtocolVersion,
  ) {
    this.#stream = new PacketStream({ packet: (packet) => this.#received(packet) });
    this.#stream.version = version;
    socket.on('data', (chunk: Buffer) => {
      this.#stream.receive(chunk);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
    socket.on('error', () => {});
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #received(packet: Packet): Verdict {
    if (packet.type !== PacketType.PUBLISH) {
      this.#packets.push(packet);
      return Verdict.CONTINUE;
    }
    this.payloads.push((packet as PublishFrame).payload.toString());
    if (this.acknowledges && packet.qos === 1) {
      this.send({ type: PacketType.PUBACK, packetId: packet.packetId, reasonCode: 0, properties: [] });
    }
    return Verdict.CONTINUE;
  }

  send(packet: Packet): boolean {
    return this.socket.write(encodePacket(packet, this.#stream.version));
  }

  publish(topic: string, payload: string, qos: QoS = 0, packetId = 0, retain = false): Buffer {
    const packet = {
      type: PacketType.PUBLISH,
      topic,
      payload: Buffer.from(payload),
      qos,
      retain,
      dup: false,
      packetId,
      properties: [],
    };
    return encodePacket(packet, this.#stream.version);
  }

  async subscribe(filter: string, qos: QoS = 0): Promise<void> {
    const subscriptions = [
      { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 as const },
    ];
    this.send({ type: PacketType.SUBSCRIBE, packetId: 1, subscriptions, properties: [] });
    await this.next(PacketType.SUBACK);
  }

  /** Resolves when the broker has handled everything that was sent before. */
  async ping(): Promise<void> {
    this.send({ type: PacketType.PINGREQ });
    await this.next(PacketType.PINGRESP);
  }

  /** Takes the next packet of a type out of what came, PUBLISH aside. */
  async next(type: PacketType): Promise<Packet> {
    let found = -1;
    await this.until(() => {
      found = this.#packets.findIndex((packet) => packet.type === type);
      return found >= 0;
    });
    return this.#packets.splice(found, 1)[0] as Packet;
  }

  count(type: PacketType): number {
    return this.#packets.filter((packet) => packet.type === type).length;
  }

  /** Waits for a condition on what was received. Rejects when the connection closes before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.socket.destroyed) throw new Error('connection closed');
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }
}
