import { InboundTopicAliases, PublishFrame } from '@tsmqtt/protocol';

/** Gives messages that came under a Topic Alias their topic (3.3.2.3.4). One for each connection. */
export class InboundTopics {
  readonly #aliases: InboundTopicAliases;

  /** @param maximum The Topic Alias Maximum that we sent. */
  constructor(maximum: number) {
    this.#aliases = new InboundTopicAliases(maximum);
  }

  /** @throws ProtocolError `topic-alias` */
  named(frame: PublishFrame): PublishFrame {
    if (frame.properties.length === 0) return frame;
    const topic = this.#aliases.resolve(frame);
    if (topic === frame.topic) return frame;
    return new PublishFrame(
      frame.source,
      frame.frameStart,
      frame.topicStart,
      frame.topicEnd,
      frame.payloadStart,
      frame.end,
      frame.protocolVersion,
      topic,
      frame.packetId,
      frame.properties,
    );
  }
}
