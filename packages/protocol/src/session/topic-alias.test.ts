import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../errors.js';
import { decodeFrame } from '../wire/decode.js';
import { encodePacket } from '../wire/encode.js';
import { PacketType } from '../wire/packet-type.js';
import type { PublishFrame } from '../wire/publish-frame.js';
import type { ProtocolVersion } from '../wire/version.js';
import { InboundTopicAliases, OutboundTopicAliases } from './topic-alias.js';

function publish(topic: string, alias?: number, version: ProtocolVersion = 5): PublishFrame {
  const bytes = encodePacket(
    {
      type: PacketType.PUBLISH,
      topic,
      payload: Buffer.from('payload'),
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties:
        alias === undefined
          ? []
          : [
              { name: 'contentType', value: 'text' },
              { name: 'topicAlias', value: alias },
            ],
    },
    version,
  );
  return decodeFrame(bytes, 0, 2, bytes.length, version) as PublishFrame;
}

function failure(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('aliases that the peer uses', () => {
  test('stand for the topic that they came with, until they get another one', () => {
    const aliases = new InboundTopicAliases(10);
    const seen = [publish('a', 1), publish('', 1), publish('b', 10), publish('', 10), publish('', 1)];
    expect(seen.map((frame) => aliases.resolve(frame))).toEqual(['a', 'a', 'b', 'b', 'a']);
    expect(aliases.resolve(publish('c', 1))).toBe('c');
    expect(aliases.resolve(publish('', 1))).toBe('c');
    expect(aliases.resolve(publish('', 10))).toBe('b');
  });

  test('two may stand for one topic', () => {
    const aliases = new InboundTopicAliases(2);
    aliases.resolve(publish('a', 1));
    aliases.resolve(publish('a', 2));
    expect([aliases.resolve(publish('', 1)), aliases.resolve(publish('', 2))]).toEqual(['a', 'a']);
  });

  test.each([3, 4, 5] as const)('a topic without an alias is itself in version %i', (version) => {
    expect(new InboundTopicAliases(0).resolve(publish('a/b', undefined, version))).toBe('a/b');
  });

  test.each([
    [0, 'a', 1],
    [0, '', 1],
    [10, 'a', 11],
    [10, '', 11],
    [10, 'a', 65_535],
  ])('with a maximum of %i, topic "%s" with alias %i is 0x94 [MQTT-3.3.2-9]', (maximum, topic, alias) => {
    const error = failure(() => new InboundTopicAliases(maximum).resolve(publish(topic, alias)));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code: 'topic-alias', reasonCode: 0x94 });
  });

  test('one that was never set is 0x82 (broker §9.7)', () => {
    const aliases = new InboundTopicAliases(10);
    aliases.resolve(publish('a', 1));
    const error = failure(() => aliases.resolve(publish('', 2)));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code: 'topic-alias', reasonCode: 0x82 });
  });

  test('one that was refused is not remembered', () => {
    const aliases = new InboundTopicAliases(1);
    expect(failure(() => aliases.resolve(publish('a', 2)))).toMatchObject({ reasonCode: 0x94 });
    expect(failure(() => aliases.resolve(publish('', 1)))).toMatchObject({ reasonCode: 0x82 });
  });
});

describe('aliases that this end uses', () => {
  test('go to topics first come, first served, negative the first time', () => {
    const aliases = new OutboundTopicAliases(2);
    expect(['a', 'b', 'a', 'c', 'b', 'c', ''].map((topic) => aliases.use(topic))).toEqual([
      -1, -2, 1, 0, 2, 0, 0,
    ]);
  });

  test('there are none with a maximum of 0 [MQTT-3.1.2-27]', () => {
    const aliases = new OutboundTopicAliases(0);
    expect([aliases.use('a'), aliases.use('a')]).toEqual([0, 0]);
  });

  test('are understood by the other end', () => {
    const ours = new OutboundTopicAliases(3);
    const theirs = new InboundTopicAliases(3);
    const topics = ['a', 'b', 'a', 'c', 'd', 'a', 'd', 'c'];
    const understood = topics.map((topic) => {
      const alias = ours.use(topic);
      const frame = alias === 0 ? publish(topic) : publish(alias > 0 ? '' : topic, Math.abs(alias));
      return theirs.resolve(frame);
    });
    expect(understood).toEqual(topics);
  });
});
