import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Connector, tcp } from '../src/index.js';
import { bytes, compact } from './session-probe.js';

/** One connection to the fake broker: what it received, in hexadecimal digits, and what it says. */
export class Visitor {
  readonly socket: Socket;
  /** Resolves when the connection is over; to true where it was reset. */
  readonly closed: Promise<boolean>;
  #received = '';
  #watchers = new Set<() => void>();
  #ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    // A client may reset what it gave up.
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('hex');
      this.#tell();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#tell();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (reset: boolean) => {
        this.#ended = true;
        this.#tell();
        resolve(reset);
      });
    });
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #until(done: () => boolean, what: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const satisfied = done();
        if (!satisfied && !this.#ended) return;
        this.#watchers.delete(check);
        if (satisfied) resolve();
        else reject(new Error(what()));
      };
      this.#watchers.add(check);
      check();
    });
  }

  /** Everything received and not yet expected. */
  get received(): string {
    return this.#received;
  }

  /** Waits until exactly these bytes have come next. Rejects where others come, or the connection ends. */
  async expect(hexadecimal: string): Promise<void> {
    const wanted = compact(hexadecimal);
    const same = (): number => {
      let length = 0;
      while (length < wanted.length && this.#received[length] === wanted[length]) length++;
      return length;
    };
    await this.#until(
      () => this.#received.length >= wanted.length || same() < this.#received.length,
      () => `got ${this.#received} and the end instead of ${wanted}`,
    );
    if (same() < wanted.length) throw new Error(`got ${this.#received} instead of ${wanted}`);
    this.#received = this.#received.slice(wanted.length);
  }

  /** Waits for so many bytes, whatever they are, and returns them. */
  async take(count: number): Promise<string> {
    await this.#until(
      () => this.#received.length >= count * 2,
      () => `the connection ended ${count - this.#received.length / 2} bytes early`,
    );
    const taken = this.#received.slice(0, count * 2);
    this.#received = this.#received.slice(count * 2);
    return taken;
  }

  /** Waits for CONNECT, a packet of less than 128 bytes, and answers it. */
  async greet(connack: string): Promise<string> {
    const header = await this.take(2);
    const connect = header + (await this.take(Number.parseInt(header.slice(2), 16)));
    this.send(connack);
    return connect;
  }

  /** Waits for the client to close its side. */
  end(): Promise<void> {
    return this.#until(
      () => this.#ended,
      () => '',
    );
  }

  send(hexadecimal: string): void {
    this.socket.write(bytes(hexadecimal));
  }
}

/** A server of bytes, for one test. */
export class FakeBroker {
  readonly port: number;
  readonly #visitors: Visitor[] = [];
  readonly #waiting: ((visitor: Visitor) => void)[] = [];

  private constructor(port: number, accept: (handler: (socket: Socket) => void) => void) {
    this.port = port;
    accept((socket) => {
      const visitor = new Visitor(socket);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#visitors.push(visitor);
      else waiting(visitor);
    });
  }

  static async start(options: { readonly allowHalfOpen?: boolean } = {}): Promise<FakeBroker> {
    const sockets = new Set<Socket>();
    let handler: (socket: Socket) => void = () => {};
    const server = createServer(options, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      handler(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return new FakeBroker((server.address() as AddressInfo).port, (accept) => {
      handler = accept;
    });
  }

  get connector(): Connector {
    return tcp({ host: '127.0.0.1', port: this.port });
  }

  /** The next connection. */
  visitor(): Promise<Visitor> {
    const visitor = this.#visitors.shift();
    if (visitor !== undefined) return Promise.resolve(visitor);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
