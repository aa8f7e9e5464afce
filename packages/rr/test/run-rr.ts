import { type Packet, PacketType, type Properties, type Publish, property } from '@tsmqtt/protocol';
import { bytes, MemoryIo, type MemoryIoOptions } from '../../cli-kit/test/memory-io.js';
import { message, type Peer, scriptedBroker } from '../../cli-kit/test/scripted-broker.js';
import { run } from '../src/run.js';

export type Arguments = readonly (string | Uint8Array)[];

/** A whole request, to topic `ask`, with `answer` for the response. */
export const REQUEST: Arguments = ['-t', 'ask', '-e', 'answer', '-m', 'question'];

/** Starts tsmqtt-rr in memory. */
export function start(args: Arguments, options: MemoryIoOptions = {}) {
  const io = new MemoryIo(options);
  return { io, ended: run(bytes(args), io) };
}

/** Runs {@link REQUEST} to its end against a scripted broker. */
export async function rr(
  answer: (packet: Packet, peer: Peer) => unknown,
  args: Arguments = [],
  options: MemoryIoOptions = {},
) {
  const broker = await scriptedBroker(answer);
  const { io, ended } = start([...broker.at, ...REQUEST, ...args], options);
  const code = await ended;
  return { code, out: io.out.toString('latin1'), err: io.err, received: broker.received };
}

/** What a responder makes of a request. */
export type Response = (request: Publish) => Publish;

/** Answers the request with these messages. */
export function responding(...responses: readonly (Publish | Response)[]) {
  return (packet: Packet, peer: Peer): unknown => {
    if (packet.type === PacketType.PUBLISH) {
      for (const response of responses) {
        peer.send(typeof response === 'function' ? response(packet) : response);
      }
    }
    return true;
  };
}

/** A response that carries the correlation data of its request, as MQTT 5 has it (4.10). */
export function correlated(payload: string | Uint8Array, changes: Partial<Publish> = {}): Response {
  return (request) => {
    const correlation = property(request.properties, 'correlationData');
    const properties: Properties =
      correlation === undefined ? [] : [{ name: 'correlationData', value: correlation }];
    return message(property(request.properties, 'responseTopic') ?? 'answer', payload, {
      properties,
      ...changes,
    });
  };
}

/** The request among what a broker received. */
export function requestIn(received: readonly Packet[]): Publish {
  return received.find((packet): packet is Publish => packet.type === PacketType.PUBLISH) as Publish;
}
