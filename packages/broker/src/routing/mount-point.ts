import { MalformedPacketError, parseFilter } from '@tsmqtt/protocol';
import { composeFrame, Message } from './message.js';

/** Longest UTF-8 Encoded String (1.5.4). */
const LONGEST = 65_535;

/**
 * `mount_point`: a prefix of all topics of a listener's clients that they do not see (broker §9.12). Topics go in by
 * `topic()` and `filter()`, and out by `outgoing()`; everything between knows them with the prefix alone: routing,
 * retained messages, access rules, log.
 */
export class MountPoint {
  readonly #prefix: string;
  readonly #prefixBytes: number;
  /** The last message that went out here, with and without the prefix: it goes to many clients in a row. */
  #last: { readonly inside: Message; readonly outside: Message | undefined } | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#prefixBytes = Buffer.byteLength(prefix);
  }

  /** The Topic Name that a client means. @throws MalformedPacketError where it is too long with the prefix. */
  topic(topic: string): string {
    if (this.#prefixBytes + Buffer.byteLength(topic) > LONGEST) {
      throw new MalformedPacketError('topic', 'the Topic Name is too long behind the mount point');
    }
    return this.#prefix + topic;
  }

  /** The Topic Filter that a client means; of a Shared Subscription only what follows the Share Name (broker T-33). */
  filter(filter: string): string {
    const { share, filter: rest } = parseFilter(filter);
    return share === undefined ? this.#prefix + filter : `$share/${share}/${this.#prefix}${rest}`;
  }

  /**
   * The message as a client sees it. Undefined where it does not: its topic is not below the prefix, which `a/#` with
   * its parent `a` finds too, or is nothing but the prefix.
   */
  outgoing(message: Message): Message | undefined {
    if (this.#last?.inside !== message) this.#last = { inside: message, outside: this.#without(message) };
    return this.#last.outside;
  }

  #without(message: Message): Message | undefined {
    const { topic, frame, expiresAt } = message;
    if (!topic.startsWith(this.#prefix) || topic.length === this.#prefix.length) return undefined;
    const { payload, qos, retain, properties, protocolVersion } = frame;
    const rest = topic.slice(this.#prefix.length);
    return new Message(
      rest,
      composeFrame(rest, payload, qos, retain, properties, protocolVersion),
      expiresAt,
    );
  }
}

/** One for each prefix, so that all clients behind it share what it makes. */
export class MountPoints {
  readonly #byPrefix = new Map<string, MountPoint>();

  /** @param prefix A listener's; undefined: none. */
  of(prefix: string | undefined): MountPoint | undefined {
    if (prefix === undefined) return undefined;
    let mountPoint = this.#byPrefix.get(prefix);
    if (mountPoint === undefined) {
      mountPoint = new MountPoint(prefix);
      this.#byPrefix.set(prefix, mountPoint);
    }
    return mountPoint;
  }
}
