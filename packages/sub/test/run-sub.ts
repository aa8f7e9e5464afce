import { type Packet, PacketType, type Publish } from '@tsmqtt/protocol';
import { bytes, MemoryIo, type MemoryIoOptions } from '../../cli-kit/test/memory-io.js';
import { message, type Peer, scriptedBroker, suback } from '../../cli-kit/test/scripted-broker.js';
import { run } from '../src/run.js';

/** Starts tsmqtt-sub in memory. */
export function start(args: readonly (string | Uint8Array)[], options: MemoryIoOptions = {}) {
  const io = new MemoryIo(options);
  return { io, ended: run(bytes(args), io) };
}

/** Runs it to its end against a scripted broker. */
export async function sub(answer: (packet: Packet, peer: Peer) => unknown, ...args: (string | Uint8Array)[]) {
  const broker = await scriptedBroker(answer);
  const { io, ended } = start([...broker.at, ...args]);
  const code = await ended;
  return { code, out: io.out.toString('latin1'), err: io.err, received: broker.received };
}

/** Answers SUBSCRIBE and sends these messages right behind. */
export function sending(...messages: readonly Publish[]) {
  return (packet: Packet, peer: Peer): unknown => {
    if (packet.type !== PacketType.SUBSCRIBE) return true;
    const granted = packet.subscriptions.map(({ qos }) => qos);
    peer.send(suback(packet.packetId, granted));
    for (const one of messages) peer.send(one);
    return false;
  };
}

/** Messages 1, 2, 3 and so on to topic a. */
export function numbered(count: number, changes: Partial<Publish> = {}): Publish[] {
  return Array.from({ length: count }, (_, index) =>
    message('a', String(index + 1), { ...changes, packetId: changes.qos === undefined ? 0 : index + 1 }),
  );
}
