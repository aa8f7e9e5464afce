import {
  decodeFrame,
  encodePacket,
  type Packet,
  PacketType,
  type Properties,
  type Property,
  type ProtocolVersion,
  type PublishFrame,
  type QoS,
} from '@tsmqtt/protocol';
import type { Identity } from '../auth/identity.js';
import { keepBytes } from './kept-bytes.js';

/**
 * An Application Message inside the broker: the frame it came in, and what the broker has to know besides. Payload and
 * properties go on as they stand in the frame [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17]
 * [MQTT-3.3.2-18] [MQTT-3.3.2-20].
 */
export class Message {
  #kept = false;
  /** Connection on which a QoS 2 PUBLISH was repeated before its PUBREL, by its number; 0: none. */
  repeatedOn = 0;
  /** Stands in the retained store; false again as soon as another message takes its place. */
  retained = false;
  /** Who published it, where it is retained (`check_retain_source`); undefined: the broker itself. */
  source: Identity | undefined;
  /** The last tally that counted it: `store/messages/count` counts a message once, however many sessions hold it. */
  countedIn = 0;

  constructor(
    readonly topic: string,
    readonly frame: PublishFrame,
    /** When it expires, in milliseconds since 1970 (3.3.2.3.3); Infinity: never. */
    readonly expiresAt: number,
  ) {}

  /** From now on it is not tied to the chunk it came in, which may be far larger. */
  keep(): void {
    if (this.#kept) return;
    this.#kept = true;
    keepBytes(this.frame);
  }

  /** Seconds left, at least 1 as long as it has not expired [MQTT-3.3.2-6]; undefined where it never does. */
  secondsLeft(now: number): number | undefined {
    if (this.expiresAt === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(1, Math.ceil((this.expiresAt - now) / 1000));
  }
}

/** When a message with these properties expires. 0 seconds mean never (broker T-26). */
export function expiryOf(properties: Properties, now: number): number {
  for (const entry of properties) {
    if (entry.name === 'messageExpiryInterval' && entry.value > 0) return now + entry.value * 1000;
  }
  return Number.POSITIVE_INFINITY;
}

/** A Message Expiry Interval of 0 seconds: no expiry, so that nothing is passed on of it (broker T-26). */
export function isEndlessExpiry(entry: Property): boolean {
  return entry.name === 'messageExpiryInterval' && entry.value === 0;
}

/** A frame for a message that did not come as one: a will, or a PUBLISH whose topic was an alias. */
export function composeFrame(
  topic: string,
  payload: Uint8Array,
  qos: QoS,
  retain: boolean,
  properties: Properties,
  version: ProtocolVersion,
): PublishFrame {
  const packetId = qos === 0 ? 0 : 1;
  const source = encodePacket(
    { type: PacketType.PUBLISH, topic, payload, qos, retain, dup: false, packetId, properties },
    version,
  );
  return frameOf(source, version) as PublishFrame;
}

/** A packet out of its bytes; they are taken as they are, so its frame stands in them. @throws MalformedPacketError */
export function frameOf(source: Buffer, version: ProtocolVersion): Packet {
  // Remaining Length takes one to four bytes; the last has no continuation bit.
  let start = 2;
  while (((source[start - 1] as number) & 0x80) !== 0) start++;
  return decodeFrame(source, 0, start, source.length, version);
}
