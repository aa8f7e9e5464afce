import { MalformedPacketError, ProtocolError } from '../../errors.js';
import { validTopicName } from '../../topic/topic-name.js';
import { isMqttUtf8 } from '../../topic/utf8.js';
import type { Publish } from '../packet.js';
import { readProperties, writeProperties } from '../properties.js';
import { NO_PROPERTIES, type Properties } from '../property-table.js';
import { PublishFrame } from '../publish-frame.js';
import { Reader } from '../reader.js';
import { rememberedTopic, rememberTopic, topicSlot } from '../topic-cache.js';
import type { ProtocolVersion } from '../version.js';
import type { Writer } from '../writer.js';

/**
 * PUBLISH (3.3); the layout stands at PublishFrame. This is the packet that comes by the million: no Reader, and one
 * object for each.
 */
export function decodePublish(
  frameStart: number,
  source: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): PublishFrame {
  const flags = source[frameStart] as number;
  const qos = (flags >> 1) & 3;
  // [MQTT-3.3.1-4] [MQTT311-3.3.1-4]
  if (qos === 3) throw new MalformedPacketError('publish-qos', 'PUBLISH has QoS 3');
  // [MQTT-3.3.1-2] [MQTT311-3.3.1-2]
  if (qos === 0 && (flags & 8) !== 0)
    throw new MalformedPacketError('publish-dup', 'PUBLISH has DUP set with QoS 0');
  const topicStart = start + 2;
  const topicEnd = topicStart + (((source[start] as number) << 8) | (source[start + 1] as number));
  let at = qos === 0 ? topicEnd : topicEnd + 2;
  if (topicStart > end || at > end)
    throw new MalformedPacketError('truncated', 'PUBLISH ends in the middle of a field');
  const topic = readTopic(source, topicStart, topicEnd, version);
  // With QoS 0 there is none [MQTT-2.2.1-2] [MQTT311-2.3.1-5].
  let packetId = 0;
  if (qos > 0) {
    packetId = ((source[topicEnd] as number) << 8) | (source[topicEnd + 1] as number);
    // [MQTT-2.2.1-3] [MQTT311-2.3.1-1]
    if (packetId === 0) throw new ProtocolError('packet-id-zero', 'PUBLISH has Packet Identifier 0');
  }
  let properties: Properties = NO_PROPERTIES;
  if (version === 5) {
    if (at < end && source[at] === 0) at++;
    else {
      const reader = new Reader(source, at, end);
      properties = readProperties(reader, 'PUBLISH');
      at = reader.position;
    }
    if (topic === '' && !properties.some((entry) => entry.name === 'topicAlias')) {
      throw new ProtocolError('topic-empty', 'PUBLISH has neither Topic Name nor Topic Alias'); // 3.3.2.3.4
    }
  }
  return new PublishFrame(
    source,
    frameStart,
    topicStart,
    topicEnd,
    at,
    end,
    version,
    topic,
    packetId,
    properties,
  );
}

/**
 * [MQTT-3.3.2-1] [MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT311-3.3.2-1] [MQTT311-3.3.2-2] [MQTT311-4.7.3-1]: UTF-8 text without
 * wildcards, empty only where an alias may stand in.
 */
function readTopic(source: Buffer, start: number, end: number, version: ProtocolVersion): string {
  if (start === end && version === 5) return '';
  const slot = topicSlot(source, start, end);
  if (slot >= 0) {
    const known = rememberedTopic(slot, source, start, end);
    if (known !== undefined) return known;
  }
  if (!isMqttUtf8(source, start, end)) {
    throw new MalformedPacketError('invalid-utf8', 'Topic Name is not valid UTF-8 text');
  }
  const topic = source.toString('utf8', start, end);
  if (!validTopicName(topic)) {
    throw new MalformedPacketError('topic-name', 'Topic Name is empty, has a wildcard or too many levels');
  }
  if (slot >= 0) rememberTopic(slot, source, start, end, topic);
  return topic;
}

/** Everything between the Fixed Header and the payload. */
export function encodePublishHead(writer: Writer, packet: Publish, version: ProtocolVersion): void {
  writer.string(packet.topic);
  if (packet.qos > 0) writer.int16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties);
}

/** Flags of the Fixed Header: DUP, QoS, RETAIN. */
export function publishFlags(qos: number, retain: boolean, dup: boolean): number {
  return (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
}
