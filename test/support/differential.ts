import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { type Client, connect, Delivery, tcp } from '@tsmqtt/client';
import { type Packet, PacketType } from '@tsmqtt/protocol';
import { onTestFinished } from 'vitest';
import { bytes, MemoryIo } from '../../packages/cli-kit/test/memory-io.js';
import { names, type Peer, scriptedBroker } from '../../packages/cli-kit/test/scripted-broker.js';
import { run as runPub } from '../../packages/pub/src/run.js';
import { run as runSub } from '../../packages/sub/src/run.js';
import { type Child, type ChildOptions, startChild } from './child.js';
import { writeFiles } from './folder.js';
import { findPeer } from './peers.js';
import { programFile } from './programs.js';

export type Tool = 'pub' | 'sub';

/** Everything that can be seen of a run. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What arrived at another subscriber of the broker, in order; with a peer, the packets that it received. */
  readonly sent: readonly string[];
}

/**
 * The same for both programs. In every text `{t}` stands for a topic of the case's own, `{id}` for a client id of its
 * own, `{dir}` for its folder and `{port}` for the broker's port.
 */
export interface DifferentialCase {
  readonly tool: Tool;
  readonly args: readonly (string | Buffer)[];
  readonly input?: string | Buffer;
  /** Files of its folder. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs of the reference's programs before, tool first. */
  readonly before?: readonly (readonly [Tool, ...string[]])[];
  /** How many messages it publishes. */
  readonly messages?: number;
  /** Answers packets in the place of a broker; `true` leaves the packet to a polite one. */
  readonly answer?: (packet: Packet, peer: Peer) => unknown;
  /** The peer may be cut off before it has read everything, or the order is the program's own (P-22). */
  readonly sentVaries?: boolean;
  /**
   * The order may be another at the reference: mosquitto_pub's PUBRELs come from two threads, and mosquitto 2.0.11 lets messages
   * at QoS 1 overtake others of their topic where they share a subscriber's full window with QoS 2. That ours keep it is shown
   * by test/pipeline.test.ts.
   */
  readonly orderVaries?: boolean;
  /**
   * The reference may lose what it has not sent when its input ends (cli §8.2): its stdin ends when all has arrived. Ours ends
   * at once.
   */
  readonly losesAtEnd?: boolean;
  /** The difference that is meant, and what we do there instead of what the reference does. */
  readonly differs?: readonly [number: string, ours: Partial<Outcome>];
}

/** Where the programs of one side connect to, and who watches there. */
export interface Side {
  readonly port: number;
  /** Messages by the first level of their topics. */
  messages(prefix: string, count: number): Promise<string[]>;
}

/** Subscribes to everything at a broker, for {@link Side}. */
export async function watchBroker(port: number, credentials: object = {}): Promise<Side> {
  const seen = new Map<string, string[]>();
  let wake = () => {};
  const client: Client = await connect({
    connector: tcp({ host: '127.0.0.1', port }),
    protocolVersion: 5,
    ...credentials,
    onMessage: (message) => {
      const prefix = message.topic.split('/', 1)[0]!;
      const list = seen.get(prefix) ?? [];
      seen.set(prefix, list);
      const { topic, qos, retain, properties } = message;
      const payload = Buffer.from(message.payload).toString('latin1');
      list.push(`${topic} q${qos} r${Number(retain)} ${JSON.stringify(payload)} ${visible(properties)}`);
      wake();
      return Delivery.CONTINUE;
    },
  });
  onTestFinished(() => client.destroy());
  await client.subscribe([
    { filter: '#', qos: 2, noLocal: false, retainAsPublished: true, retainHandling: 2 },
  ]);
  const waiting = new Set<() => void>();
  wake = () => {
    for (const check of waiting) check();
  };
  return {
    port,
    messages: (prefix, count) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(patience);
          waiting.delete(check);
          resolve(seen.get(prefix) ?? []);
        };
        const check = (): void => {
          if ((seen.get(prefix)?.length ?? 0) >= count) done();
        };
        // What never comes is a difference, not a test that hangs.
        const patience = setTimeout(done, 5000);
        waiting.add(check);
        check();
      }),
  };
}

function visible(value: unknown): string {
  return JSON.stringify(value, (_name, inner) => {
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('latin1');
    // JSON.stringify has called toJSON of a Buffer before.
    if (inner?.type === 'Buffer') return Buffer.from(inner.data).toString('latin1');
    return inner;
  });
}

/** What a packet says; identifiers of packets are counted the same by both. */
function packetText(packet: Packet): string {
  if (packet.type === PacketType.PUBLISH) {
    const { topic, payload, qos, retain, dup, packetId, properties } = packet;
    return `PUBLISH ${visible({ topic, payload: Buffer.from(payload), qos, retain, dup, packetId, properties })}`;
  }
  const { type: _type, ...fields } = packet as Packet & Record<string, unknown>;
  return `${names([packet])[0]} ${visible(fields)}`;
}

/** One case with one side's program. */
export async function runCase(
  given: DifferentialCase,
  number: number,
  side: Side | undefined,
  ours: boolean,
): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-case-'));
  try {
    return await runIn(folder, given, number, side, ours);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(
  folder: string,
  given: DifferentialCase,
  number: number,
  side: Side | undefined,
  ours: boolean,
): Promise<Outcome> {
  const { answer, tool } = given;
  const closing: Promise<unknown>[] = [];
  const met = new Set<Peer>();
  const peer =
    answer &&
    (await scriptedBroker((packet, each) => {
      if (!met.has(each)) {
        met.add(each);
        closing.push(new Promise((resolve) => each.socket.on('close', resolve)));
      }
      return answer(packet, each);
    }));
  const port = peer?.port ?? side?.port;
  const fill = fillerOf({ t: `case-${number}`, id: `id-${number}`, dir: folder, port: String(port) });
  writeFiles(folder, mapValues(given.files ?? {}, fill));
  const at = port === undefined ? [] : ['-h', '127.0.0.1', '-p', String(port)];
  const environment = {
    HOME: folder,
    XDG_CONFIG_HOME: '/nonexistent',
    ...mapValues(given.env ?? {}, fill),
  };
  for (const [first, ...args] of given.before ?? []) {
    const { code, stderr } = await startChild(findPeer(`mosquitto_${first}`)!, [...at, ...args.map(fill)], {
      input: '',
      env: environment,
    }).ended;
    if (code !== 0) throw new Error(`cannot prepare case ${number}: ${stderr}`);
  }
  const args = [...at, ...given.args.map((arg) => (typeof arg === 'string' ? fill(arg) : arg))];
  // Messages are one thing, the connection another: what needs no broker needs no process of its own.
  const inProcess = ours && port === undefined;
  const start = inProcess ? startInProcess : startProcess;
  const input = given.input ?? '';
  const options = { env: environment, cwd: folder };
  const waits = given.losesAtEnd === true && !ours && side !== undefined;
  const process = start(tool, args, waits ? options : { input, ...options }, ours, folder);
  if (waits) {
    process.stdin?.write(input);
    await side.messages(`case-${number}`, given.messages ?? 0);
    process.stdin?.end();
  }
  const { code, stdout, stderr } = await process.ended;
  await Promise.all(closing);
  const plain = emptier(fill);
  return {
    code,
    stdout: withoutHelp(plain(stdout.toString('latin1'))),
    stderr: plain(stderr),
    sent: given.sentVaries
      ? []
      : peer
        ? peer.received.map((packet) => plain(packetText(packet)))
        : side === undefined || given.messages === undefined
          ? []
          : ordered(given, (await side.messages(`case-${number}`, given.messages)).map(plain)),
  };
}

function ordered({ orderVaries = false }: DifferentialCase, messages: readonly string[]): readonly string[] {
  return orderVaries ? [...messages].sort() : messages;
}

/** The words of help are free (cli §1.4), and each program has its own version. */
function withoutHelp(stdout: string): string {
  if (/^Usage: /m.test(stdout)) return '(help)';
  return stdout.replace(/ version \S+ running on \S+ \S+\n/, ' (version)\n');
}

interface Process {
  readonly stdin?: Writable;
  readonly ended: Promise<{ code: number | null; stdout: Buffer; stderr: string }>;
}

function startInProcess(tool: Tool, args: readonly (string | Buffer)[], options: ChildOptions): Process {
  const io = new MemoryIo({
    programName: `mosquitto_${tool}`,
    stdin: options.input ?? '',
    env: options.env as Record<string, string>,
  });
  const run = { pub: runPub, sub: runSub }[tool];
  return {
    ended: run(bytes(args), io).then((code) => ({ code, stdout: io.out, stderr: io.errBytes.toString() })),
  };
}

function startProcess(
  tool: Tool,
  args: readonly (string | Buffer)[],
  options: ChildOptions,
  ours: boolean,
  folder: string,
): Process {
  const file = ours ? linkTo(tool, folder) : findPeer(`mosquitto_${tool}`)!;
  const child = startBytes(file, args, options);
  return { stdin: child.stdin, ended: child.ended };
}

/** Our program under the name of the reference's, which it then says itself (cli §1.2). */
function linkTo(tool: Tool, folder: string): string {
  const link = path.join(folder, 'bin', `mosquitto_${tool}`);
  mkdirSync(path.dirname(link));
  symlinkSync(programFile(`tsmqtt-${tool}`), link);
  return link;
}

/** Starts a process also with arguments that are not UTF-8, which Node itself cannot pass. */
function startBytes(file: string, args: readonly (string | Buffer)[], options: ChildOptions): Child {
  if (args.every((arg) => typeof arg === 'string')) return startChild(file, args as string[], options);
  const words = args.map((arg) => {
    const octal = Array.from(Buffer.from(arg as string), (byte) => `\\${byte.toString(8).padStart(3, '0')}`);
    return `"$(printf '${octal.join('')}')"`;
  });
  return startChild('sh', ['-c', `exec "$0" ${words.join(' ')}`, file], options);
}

type Fill = ((text: string) => string) & { readonly values: Readonly<Record<string, string>> };

function fillerOf(values: Readonly<Record<string, string>>): Fill {
  const fill = (text: string): string => text.replace(/\{(t|id|dir|port)\}/g, (_, name) => values[name]!);
  return Object.assign(fill, { values });
}

/** Puts the names back, so that both sides, and the list of differences, say the same. */
function emptier({ values }: Fill): (text: string) => string {
  return (text) =>
    Object.entries(values)
      .filter(([name, value]) => name !== 'port' || value.length > 3)
      .reduce((rest, [name, value]) => rest.replaceAll(value, `{${name}}`), text);
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
