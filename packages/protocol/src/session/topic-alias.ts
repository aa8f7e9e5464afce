import { ProtocolError } from '../errors.js';
import type { PublishFrame } from '../wire/publish-frame.js';

/** Topics that the peer named by Topic Alias on this connection (3.3.2.3.4). */
export class InboundTopicAliases {
  readonly #maximum: number;
  #topics: Map<number, string> | undefined;

  /** @param maximum The Topic Alias Maximum that this end announced; 0: none may be used. */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * The Topic Name that a PUBLISH means; remembers the alias it sets, up to the maximum [MQTT-3.3.2-12] [MQTT-3.3.2-10].
   * @throws ProtocolError `topic-alias` 0x94 beyond the maximum [MQTT-3.3.2-9], 0x82 for one that was never set.
   */
  resolve(frame: PublishFrame): string {
    for (const entry of frame.properties) {
      if (entry.name !== 'topicAlias') continue;
      if (entry.value > this.#maximum) {
        throw new ProtocolError(
          'topic-alias',
          `Topic Alias ${entry.value} is over the maximum of ${this.#maximum}`,
          0x94,
        );
      }
      if (frame.topic !== '') {
        this.#topics ??= new Map();
        this.#topics.set(entry.value, frame.topic);
        return frame.topic;
      }
      const topic = this.#topics?.get(entry.value);
      if (topic === undefined)
        throw new ProtocolError('topic-alias', `Topic Alias ${entry.value} was never set`);
      return topic;
    }
    return frame.topic;
  }
}

/** Topic Aliases that this end uses on a connection: given to topics first come, first served (broker §9.9). */
export class OutboundTopicAliases {
  readonly #maximum: number;
  #aliases: Map<string, number> | undefined;

  /** @param maximum The peer's Topic Alias Maximum [MQTT-3.1.2-26] [MQTT-3.3.2-11], 0 for none [MQTT-3.1.2-27], or a lower bound of our own. */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias for a topic: positive where the peer knows it, negative where this PUBLISH sets it, 0 for none. */
  use(topic: string): number {
    if (this.#maximum === 0) return 0;
    this.#aliases ??= new Map();
    const known = this.#aliases.get(topic);
    if (known !== undefined) return known;
    if (this.#aliases.size >= this.#maximum) return 0;
    const alias = this.#aliases.size + 1;
    this.#aliases.set(topic, alias);
    return -alias;
  }
}
