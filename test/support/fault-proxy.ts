import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Framer, PacketType } from '@tsmqtt/protocol';
import { onTestFinished } from 'vitest';

/** What happens to one connection between a program and its broker. */
export interface Fault {
  /** Cuts it, in both directions, when so many bytes went from the program to the broker. */
  readonly cutAfterSent?: number;
  /** The same for bytes from the broker to the program. */
  readonly cutAfterReceived?: number;
  /** Hands on one byte at a time, in packets of their own. */
  readonly singleBytes?: boolean;
  /** Holds back so many acknowledgements of the broker's, and hands them on in reverse. */
  readonly reverseAcknowledgements?: number;
  /** Milliseconds that everything from the broker takes longer. */
  readonly delay?: number;
}

export interface FaultProxy {
  readonly port: number;
  /** `-h` and `-p` for it. */
  readonly at: readonly string[];
  /** Connections so far, refused ones too. */
  readonly connections: number;
  /** Resolves at the next connection. */
  nextConnection(): Promise<void>;
  /** Cuts what there is, and every new connection at once, until `restore()`. */
  fail(): void;
  restore(): void;
}

/**
 * Stands between a program and the broker at `target`; `faultOf` says what befalls each connection, counted from 1.
 */
export async function faultProxy(
  target: number,
  faultOf: (connection: number) => Fault = () => ({}),
): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let connections = 0;
  let failing = false;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // Whoever is cut off may reset.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    return socket;
  };
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer({ allowHalfOpen: true }, (program) => {
    track(program);
    connections += 1;
    for (const wake of waiting) wake();
    waiting.clear();
    if (failing) {
      program.destroy();
      return;
    }
    const fault = faultOf(connections);
    const broker = track(connect({ port: target, host: '127.0.0.1', allowHalfOpen: true }));
    const cut = (): void => {
      program.destroy();
      broker.destroy();
    };
    const { cutAfterSent, cutAfterReceived, singleBytes = false } = fault;
    pass(program, broker, { limit: cutAfterSent, singleBytes, cut, change: undefined });
    pass(broker, program, { limit: cutAfterReceived, singleBytes, cut, change: changeOf(fault) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    cutAll();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    at: ['-h', '127.0.0.1', '-p', String(port)],
    get connections() {
      return connections;
    },
    nextConnection: () => new Promise((resolve) => waiting.add(resolve)),
    fail: () => {
      failing = true;
      cutAll();
    },
    restore: () => {
      failing = false;
    },
  };
}

/** Changes what goes by: gives what is to be written now, and is asked to hurry when the sender has ended. */
type Change = (chunk: Buffer, write: (bytes: Buffer) => void) => void;

interface Way {
  readonly limit: number | undefined;
  readonly singleBytes: boolean;
  readonly cut: () => void;
  readonly change: Change | undefined;
}

/** Hands on what comes, no faster than it is taken. */
function pass(from: Socket, to: Socket, { limit, singleBytes, cut, change }: Way): void {
  let passed = 0;
  const write = (bytes: Buffer): void => {
    const rest = limit === undefined ? bytes.length : Math.max(0, limit - passed);
    const part = bytes.subarray(0, rest);
    passed += part.length;
    let room = true;
    if (singleBytes) for (const byte of part) room = to.write(Uint8Array.of(byte));
    else if (part.length > 0) room = to.write(part);
    if (limit !== undefined && passed >= limit) to.write('', cut);
    else if (!room) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  };
  from.on('data', (chunk: Buffer) => (change === undefined ? write(chunk) : change(chunk, write)));
  from.on('end', () => to.end());
  from.on('close', () => to.destroy());
}

function changeOf({ reverseAcknowledgements, delay }: Fault): Change | undefined {
  if (reverseAcknowledgements !== undefined) return reverse(reverseAcknowledgements);
  if (delay !== undefined) return (chunk, write) => void setTimeout(() => write(chunk), delay);
  return undefined;
}

const ACKNOWLEDGEMENTS: ReadonlySet<number> = new Set([
  PacketType.PUBACK,
  PacketType.PUBREC,
  PacketType.PUBCOMP,
]);

function reverse(count: number): Change {
  const framer = new Framer();
  let held: Buffer[] = [];
  let patience: NodeJS.Timeout | undefined;
  return (chunk, write) => {
    const release = (): void => {
      clearTimeout(patience);
      for (const frame of held.reverse()) write(frame);
      held = [];
    };
    framer.push(chunk);
    while (framer.next()) {
      const frame = Buffer.from(framer.source.subarray(framer.frameStart, framer.end));
      if (!ACKNOWLEDGEMENTS.has(frame[0]! >> 4)) {
        release();
        write(frame);
      } else if (held.push(frame) >= count) release();
    }
    // Fewer than that are on their way: the sender waits for these.
    clearTimeout(patience);
    patience = setTimeout(release, 20);
  };
}
