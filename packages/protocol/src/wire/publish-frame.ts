import type { Publish } from './packet.js';
import { PacketType } from './packet-type.js';
import type { Properties } from './property-table.js';
import type { ProtocolVersion, QoS } from './version.js';

/**
 * A received PUBLISH together with where its parts stand in the bytes it came in:
 *
 *     frameStart   Fixed Header: 0011 | DUP | QoS QoS | RETAIN, Remaining Length
 *     topicStart   Topic Name (behind its two bytes of length), up to topicEnd
 *     topicEnd     Packet Identifier (QoS 1 and 2), Properties (MQTT 5)
 *     payloadStart payload, up to end
 *
 * Its own bytes are the encoding that goes on to subscribers: nothing is encoded again where only flags and the Packet
 * Identifier differ.
 */
export class PublishFrame implements Publish {
  readonly type = PacketType.PUBLISH;
  #payload: Buffer | undefined;

  constructor(
    public source: Buffer,
    public frameStart: number,
    public topicStart: number,
    public topicEnd: number,
    public payloadStart: number,
    public end: number,
    readonly protocolVersion: ProtocolVersion,
    readonly topic: string,
    readonly packetId: number,
    readonly properties: Properties,
  ) {}

  get flags(): number {
    return (this.source[this.frameStart] as number) & 0x0f;
  }

  get qos(): QoS {
    return (((this.source[this.frameStart] as number) >> 1) & 3) as QoS;
  }

  get retain(): boolean {
    return ((this.source[this.frameStart] as number) & 1) === 1;
  }

  get dup(): boolean {
    return ((this.source[this.frameStart] as number) & 8) === 8;
  }

  /** View of the chunk it came in; valid as long as it is kept, and keeping it keeps the chunk. */
  get payload(): Buffer {
    this.#payload ??= this.source.subarray(this.payloadStart, this.end);
    return this.#payload;
  }

  get payloadLength(): number {
    return this.end - this.payloadStart;
  }

  /**
   * Copies the packet to `target` from `at` on, and stands there from now on. For whoever keeps many: neither another
   * frame nor a Buffer is made for each.
   */
  moveTo(target: Buffer, at: number): void {
    this.source.copy(target, at, this.frameStart, this.end);
    const shift = at - this.frameStart;
    this.source = target;
    this.frameStart = at;
    this.topicStart += shift;
    this.topicEnd += shift;
    this.payloadStart += shift;
    this.end += shift;
    this.#payload = undefined;
  }

  /** The same message in bytes of its own, for keeping: what it came in may be a far larger chunk. */
  detach(): PublishFrame {
    const size = this.end - this.frameStart;
    if (this.source.length <= size) return this;
    const source = Buffer.allocUnsafe(size);
    this.source.copy(source, 0, this.frameStart, this.end);
    const shift = this.frameStart;
    return new PublishFrame(
      source,
      0,
      this.topicStart - shift,
      this.topicEnd - shift,
      this.payloadStart - shift,
      size,
      this.protocolVersion,
      this.topic,
      this.packetId,
      this.properties,
    );
  }
}
