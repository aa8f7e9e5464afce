import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodePacket, type ProtocolVersion } from '@tsmqtt/protocol';
import { bytesOf, type ConnectFields, connectPacket, type Outgoing } from './raw-client.js';

/** A TCP client for what needs a real socket: bytes as hex digits, and the end. */
export class SocketClient {
  #bytes = '';
  #closed = false;
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly socket: Socket,
    readonly version: ProtocolVersion,
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.toString('hex');
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async open(port: number, host = '127.0.0.1', version: ProtocolVersion = 4): Promise<SocketClient> {
    const client = new SocketClient(connect({ port, host, noDelay: true }), version);
    await once(client.socket, 'connect');
    return client;
  }

  /** A client on a socket of another kind: of a path, or TLS. */
  static on(socket: Socket, version: ProtocolVersion = 4): SocketClient {
    return new SocketClient(socket, version);
  }

  /** Connects and waits for CONNACK. */
  static async connect(port: number, fields: ConnectFields = {}, host?: string): Promise<SocketClient> {
    const client = await SocketClient.open(port, host, connectPacket(fields).protocolVersion);
    await client.introduce(fields);
    return client;
  }

  /** Sends CONNECT and waits for CONNACK. */
  async introduce(fields: ConnectFields = {}): Promise<void> {
    const packet = connectPacket(fields);
    this.socket.write(encodePacket(packet, packet.protocolVersion));
    await this.until((bytes) => bytes.startsWith('20'));
    this.#bytes = '';
  }

  get bytes(): string {
    return this.#bytes;
  }

  send(...outgoing: readonly Outgoing[]): void {
    this.socket.write(Buffer.concat(outgoing.map((one) => bytesOf(one, this.version))));
  }

  /** Resolves when what has come satisfies the condition; rejects when the connection closes before. */
  async until(condition: (bytes: string) => boolean): Promise<void> {
    while (!condition(this.#bytes)) {
      if (this.#closed) throw new Error(`closed after ${this.#bytes}`);
      await this.#change();
    }
  }

  /** Resolves when the connection is closed, with everything that has come. */
  async closed(): Promise<string> {
    while (!this.#closed) await this.#change();
    return this.#bytes;
  }

  /** Resolves when the broker has answered a PINGREQ, and so everything before it. */
  async ping(): Promise<void> {
    this.send('c0 00');
    await this.until((bytes) => bytes.endsWith('d000'));
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }
}
