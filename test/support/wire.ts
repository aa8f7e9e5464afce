import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ProtocolVersion } from '@tsmqtt/protocol';
import { bytesOf, type Outgoing } from '../../packages/broker/test/raw-client.js';

/**
 * One exchange: a client sends packets, or its connection breaks. `part` is the beginning of a packet whose rest comes
 * with a later step; `await` waits until a PUBLISH has come by itself.
 */
export type Step = readonly [client: string, ...what: readonly Outgoing[]] | Special;
type Special =
  | { readonly client: string; readonly does: 'vanish' | 'await' }
  | { readonly client: string; readonly does: 'part'; readonly bytes: string };

/** A scripted session of one or more clients, the same for every broker. */
export interface WireSession {
  readonly title: string;
  readonly version: ProtocolVersion;
  readonly steps: readonly Step[];
  /** Reason Code that MQTT 5 has for what is wrong in it, two hexadecimal digits. */
  readonly code?: string;
}

export const vanish = (client: string): Special => ({ client, does: 'vanish' });
export const awaitMessage = (client: string): Special => ({ client, does: 'await' });
export const part = (client: string, bytes: string): Special => ({ client, does: 'part', bytes });

const PINGREQ = Buffer.from('c000', 'hex');
const PINGRESP = 'd0 00';
/** A connection that was broken is noticed between two answers of the broker. */
const ROUNDS_AFTER_END = 4;

/** Plays a session; for each of its steps, what every client got: `a: 20 02 00 00`, `b: closed`. */
export async function playSession(port: number, session: WireSession): Promise<string[][]> {
  const clients = new Map<string, WireClient>();
  const outcome: string[][] = [];
  for (const step of session.steps) {
    const name = 'client' in step ? step.client : step[0];
    const known = clients.get(name);
    const client = known === undefined || known.closed ? await WireClient.open(port) : known;
    clients.set(name, client);
    const others = [...clients.values()].filter((one) => one !== client);
    const ended = await perform(client, step, session.version);
    const rounds = ended || client.closed ? ROUNDS_AFTER_END : 1;
    for (let round = 0; round < rounds; round++) await Promise.all(others.map((one) => one.settle()));
    outcome.push([...clients].flatMap(([one, { take }]) => take().map((packet) => `${one}: ${packet}`)));
  }
  await Promise.all([...clients.values()].map((client) => client.end()));
  return outcome;
}

async function perform(client: WireClient, step: Step, version: ProtocolVersion): Promise<boolean> {
  if (!('client' in step)) {
    await client.settle(...step.slice(1).map((one) => bytesOf(one as Outgoing, version)));
    return false;
  }
  if (step.does === 'vanish') await client.end();
  else if (step.does === 'await') await client.until((packet) => packet.startsWith('3'));
  else if (step.does === 'part') client.send(bytesOf(step.bytes, version));
  return step.does === 'vanish';
}

/** A TCP client that knows of MQTT only where a packet ends. */
class WireClient {
  #rest = Buffer.alloc(0);
  #packets: string[] = [];
  #changed: (() => void) | undefined;
  closed = false;
  #left = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', () => {}); // a reset is one of the ways in which a broker ends it
    socket.on('close', () => {
      this.closed = true;
      if (!this.#left) this.#packets.push('closed');
      this.#changed?.();
    });
  }

  static async open(port: number): Promise<WireClient> {
    const client = new WireClient(connect({ port, host: '127.0.0.1', noDelay: true }));
    await once(client.socket, 'connect');
    return client;
  }

  send(bytes: Buffer): void {
    if (!this.closed) this.socket.write(bytes);
  }

  /**
   * Sends this, and resolves when the broker has answered it and everything before, or closed the connection. All in one
   * write: a second one that comes after the close fails, and what the broker said would not be read any more.
   */
  async settle(...packets: readonly Buffer[]): Promise<void> {
    if (this.closed) return;
    this.send(Buffer.concat([...packets, PINGREQ]));
    await this.until((packet) => packet === PINGRESP);
    const at = this.#packets.lastIndexOf(PINGRESP);
    if (at >= 0) this.#packets.splice(at, 1);
  }

  async until(condition: (packet: string) => boolean): Promise<void> {
    while (!this.closed && !this.#packets.some(condition)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  readonly take = (): string[] => this.#packets.splice(0);

  async end(): Promise<void> {
    if (this.closed) return;
    this.#left = true;
    this.socket.destroy();
    await once(this.socket, 'close');
  }

  #received(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (let size = packetSize(this.#rest); size <= this.#rest.length; size = packetSize(this.#rest)) {
      this.#packets.push(this.#rest.toString('hex', 0, size).replaceAll(/(..)(?=.)/g, '$1 '));
      this.#rest = this.#rest.subarray(size);
    }
    this.#changed?.();
  }
}

/** Bytes of the packet at the beginning; infinity while its length has not come. */
function packetSize(bytes: Buffer): number {
  let length = 0;
  for (let at = 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return at + 1 + length;
  }
  return Number.POSITIVE_INFINITY;
}
