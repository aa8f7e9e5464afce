import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  type Connack,
  encodePacket,
  type Packet,
  PacketStream,
  PacketType,
  type Publish,
  Verdict,
} from '@tsmqtt/protocol';
import { type Broker, startBroker } from '../../packages/broker/src/broker.js';
import type { BrokerIo, BrokerSignal } from '../../packages/broker/src/program/io.js';
import { run } from '../../packages/broker/src/program/run.js';
import {
  bytesOf,
  type ConnectFields,
  connectPacket,
  type Outgoing,
} from '../../packages/broker/test/raw-client.js';

/** A client of whatever listener, that keeps every packet. */
export class Caller {
  readonly packets: Packet[] = [];
  closed = false;
  readonly #stream = new PacketStream({
    packet: (packet) => {
      this.packets.push(packet);
      return Verdict.CONTINUE;
    },
  });
  readonly #waiting = new Set<() => void>();
  /** What came, before anybody has read it as packets. */
  text = '';

  constructor(
    readonly socket: ReturnType<typeof connect>,
    readonly raw = false,
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      if (!raw) this.#stream.receive(chunk);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  send(...packets: readonly Outgoing[]): void {
    this.socket.write(Buffer.concat(packets.map((packet) => bytesOf(packet, this.#stream.version))));
  }

  /** False: the connection was closed before it was so. */
  async until(condition: () => boolean): Promise<boolean> {
    while (!condition()) {
      if (this.closed) return false;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return true;
  }

  /** What CONNECT is answered with: CONNACK or AUTH; undefined where the connection was closed. */
  async introduce(fields: ConnectFields = {}): Promise<Packet | undefined> {
    const packet = connectPacket(fields);
    this.#stream.version = packet.protocolVersion;
    this.socket.write(encodePacket(packet, packet.protocolVersion));
    await this.until(() => this.packets.length > 0);
    return this.packets.shift();
  }

  /** Everything that was sent before is handled, and what it led to has come. */
  async ping(): Promise<void> {
    this.send({ type: PacketType.PINGREQ });
    await this.until(() => this.packets.some(({ type }) => type === PacketType.PINGRESP));
  }

  get publications(): Publish[] {
    return this.packets.filter((packet) => packet.type === PacketType.PUBLISH) as Publish[];
  }
}

/** The program `tsmqtt-broker` inside of this process, with its signals in the test's hand and a log to look at. */
export class ReloadScene {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-reload-'));
  log = '';
  /** Priorities of the lines that went to syslog. */
  readonly priorities: string[] = [];
  /** Who it became. */
  readonly users: (string | undefined)[] = [];
  broker: Broker | undefined;
  readonly #handlers = new Map<BrokerSignal, () => void>();
  readonly #callers: Caller[] = [];
  #reloaded = (): void => {};
  #ended: Promise<number> | undefined;

  get socket(): string {
    return path.join(this.folder, 'socket');
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.at(name), content, { mode: 0o600 });
    return this.at(name);
  }

  /** Resolves when it runs. */
  async start(conf: string, userId?: number): Promise<void> {
    const collect = new Writable({
      write: (chunk, _encoding, done) => {
        this.log += chunk;
        done();
      },
    });
    const io: BrokerIo = {
      programName: 'tsmqtt-broker',
      stdout: collect,
      stderr: collect,
      env: { PATH: process.env.PATH },
      pid: 4711,
      now: () => 1_700_000_000_000,
      onSignal: (signal, handler) => {
        this.#handlers.set(signal, handler);
        return () => this.#handlers.delete(signal);
      },
      onExit: () => () => {},
      userId: () => userId ?? process.getuid?.(),
      findUser: (wanted) => ({ name: String(wanted), userId: 1, groupId: 1 }),
      becomeUser: ({ name }) => void this.users.push(name),
      openSyslog: (priority) => ({
        write: () => this.priorities.push(priority) > 0,
        end: () => {},
        waiting: 0,
      }),
      setUmask: () => {},
      detach: async () => {},
    };
    const file = Buffer.from(this.write('broker.conf', conf));
    await new Promise<void>((resolve, reject) => {
      this.#ended = run([Buffer.from('-c'), file], io, async (options) => {
        const broker = await startBroker(options);
        this.broker = broker;
        resolve();
        const reload: Broker['reload'] = async (settings) => {
          await broker.reload(settings);
          this.#reloaded();
        };
        return { ...broker, reload };
      });
      void this.#ended.then((code) => reject(new Error(`ended with ${code}: ${this.log}`)));
    });
  }

  /** SIGHUP; resolves when what the file says now is in force. */
  async hangUp(conf: string): Promise<void> {
    this.write('broker.conf', conf);
    const reloaded = new Promise<void>((resolve) => {
      this.#reloaded = resolve;
    });
    this.#handlers.get('SIGHUP')?.();
    await reloaded;
  }

  caller(where: NetConnectOpts = { path: this.socket }, raw = false): Caller {
    return this.#keep(new Caller(connect(where), raw));
  }

  tlsCaller(options: ConnectionOptions = {}): Caller {
    return this.#keep(new Caller(connectTls({ path: this.socket, rejectUnauthorized: false, ...options })));
  }

  #keep(caller: Caller): Caller {
    this.#callers.push(caller);
    return caller;
  }

  async connack(fields: ConnectFields = {}, caller = this.caller()): Promise<Connack | undefined> {
    return (await caller.introduce(fields)) as Connack | undefined;
  }

  /** One that was accepted. */
  async client(fields: ConnectFields = {}): Promise<Caller> {
    const caller = this.caller();
    const connack = await this.connack(fields, caller);
    if (connack?.reasonCode !== 0) throw new Error(`CONNECT was answered with ${connack?.reasonCode}`);
    return caller;
  }

  /** Everybody leaves; what the next look sees is new. */
  async leave(): Promise<void> {
    for (const caller of this.#callers.splice(0)) {
      caller.socket.destroy();
      await caller.until(() => caller.closed);
    }
  }

  async end(): Promise<void> {
    await this.leave();
    this.#handlers.get('SIGTERM')?.();
    await this.#ended;
    rmSync(this.folder, { recursive: true });
  }
}
