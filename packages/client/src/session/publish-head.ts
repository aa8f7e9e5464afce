import {
  lengthBytes,
  NO_PROPERTIES,
  type Properties,
  type ProtocolVersion,
  property,
  type QoS,
  UsageError,
  validTopicName,
  Writer,
  writeProperties,
} from '@tsmqtt/protocol';
import { outgoingProperties } from './outgoing-properties.js';

export interface PublishSettings {
  readonly qos?: QoS | undefined;
  readonly retain?: boolean | undefined;
  readonly properties?: Properties | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** Everything of a PUBLISH but Packet Identifier and payload, encoded once for all messages that share it. */
export class PublishHead {
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Topic Name with its length in front. */
  readonly topicBytes: Uint8Array;
  /** Properties with their length in front; nothing before MQTT 5. */
  readonly propertyBytes: Uint8Array;
  /** Topic Alias among the properties, 0 for none. */
  readonly topicAlias: number;
  #aliasless: Uint8Array | undefined;

  /** @throws UsageError `topic-name`, and those of `outgoingProperties`. */
  constructor(topic: string, settings: PublishSettings, version: ProtocolVersion) {
    if (!validTopicName(topic)) {
      throw new UsageError('topic-name', `${JSON.stringify(topic)} is not a Topic Name to publish to`);
    }
    this.topic = topic;
    this.qos = settings.qos ?? 0;
    this.retain = settings.retain ?? false;
    this.properties = outgoingProperties(settings.properties, 'PUBLISH', version);
    const writer = new Writer();
    writer.string(topic);
    const topicEnd = writer.length;
    if (version === 5) writeProperties(writer, this.properties);
    this.topicBytes = writer.buffer.subarray(0, topicEnd);
    this.propertyBytes = version === 5 ? writer.buffer.subarray(topicEnd, writer.length) : NO_BYTES;
    this.topicAlias = this.properties === NO_PROPERTIES ? 0 : (property(this.properties, 'topicAlias') ?? 0);
  }

  /** Its properties without the Topic Alias, with their length in front; made when they are needed. */
  get aliaslessBytes(): Uint8Array {
    if (this.#aliasless === undefined) {
      const writer = new Writer();
      writeProperties(writer, withoutAlias(this.properties));
      this.#aliasless = writer.buffer.subarray(0, writer.length);
    }
    return this.#aliasless;
  }

  /** Size of a whole packet with a payload of so many bytes. */
  packetSize(payloadLength: number): number {
    const idLength = this.qos === 0 ? 0 : 2;
    const length = this.topicBytes.length + idLength + this.propertyBytes.length + payloadLength;
    return 1 + lengthBytes(length) + length;
  }
}

export function withoutAlias(properties: Properties): Properties {
  return properties.filter(({ name }) => name !== 'topicAlias');
}
