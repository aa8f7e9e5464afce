import type { OutboundSink } from '../src/session/outbound-flow.js';
import { OutboundMessage } from '../src/session/outbound-message.js';
import type { Acknowledgement } from '../src/wire/packet.js';
import { PacketType } from '../src/wire/packet-type.js';

/** A message that knows when it was sent. */
export class Numbered extends OutboundMessage {
  constructor(
    readonly qos: 1 | 2,
    readonly number: number,
  ) {
    super();
  }
}

/** Message 0, 1, 2, ... with these QoS. */
export function numbered(...qos: readonly (1 | 2)[]): Numbered[] {
  return qos.map((one, number) => new Numbered(one, number));
}

export function acknowledgement(
  name: 'PUBACK' | 'PUBREC' | 'PUBCOMP',
  packetId: number,
  reasonCode = 0,
): Acknowledgement {
  return { type: PacketType[name], packetId, reasonCode, properties: [] };
}

/** Writes down what a flow asks for: `PUBLISH 0 id 1 dup`, `PUBREL id 1`, `settled 0 code 0`. */
export class WrittenDown implements OutboundSink<Numbered> {
  #lines: string[] = [];

  publish(message: Numbered, packetId: number, dup: boolean): boolean {
    this.#lines.push(`PUBLISH ${message.number} id ${packetId}${dup ? ' dup' : ''}`);
    return true;
  }

  pubrel(packetId: number): void {
    this.#lines.push(`PUBREL id ${packetId}`);
  }

  settled(message: Numbered, packet: Acknowledgement): void {
    this.#lines.push(`settled ${message.number} code ${packet.reasonCode}`);
  }

  /** What was asked for since the last time. */
  lines(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }
}
