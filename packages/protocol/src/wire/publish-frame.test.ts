import { describe, expect, test } from 'vitest';
import { decodeChunks } from '../../test/codec.js';
import { packetVectors, plainPacket, vectorBytes } from '../../test/packet-vectors.js';
import { PublishFrame } from './publish-frame.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function publishes(bytes: Buffer, version: 4 | 5 = 4): PublishFrame[] {
  return decodeChunks([bytes], version).filter(
    (packet): packet is PublishFrame => packet instanceof PublishFrame,
  );
}

describe('a decoded PUBLISH', () => {
  test('says where its parts stand', () => {
    const [frame] = publishes(hex('c000 3b 0f 0003 612f62 1234 05 0200000001 6869'), 5);
    expect(frame).toMatchObject({
      frameStart: 2,
      topicStart: 6,
      topicEnd: 9,
      payloadStart: 17,
      end: 19,
      flags: 0x0b,
      payloadLength: 2,
      protocolVersion: 5,
    });
  });

  test('gives its payload as a view of the chunk', () => {
    const bytes = hex('30 05 0001 61 6869');
    const [frame] = publishes(bytes);
    expect(frame!.payload.buffer).toBe(bytes.buffer);
    expect(frame!.payload).toBe(frame!.payload);
  });

  test('detached, has bytes of its own and says the same', () => {
    for (const vector of packetVectors) {
      if (vector.packet.type !== 'PUBLISH') continue;
      const bytes = vectorBytes(vector.hex);
      const chunk = Buffer.concat([hex('c000'), bytes, hex('c000')]);
      const frame = decodeChunks([chunk], vector.version)[1] as PublishFrame;
      const before = plainPacket(frame);
      const kept = frame.detach();
      chunk.fill(0);
      expect(plainPacket(kept)).toEqual(before);
      expect(kept.source.subarray(kept.frameStart, kept.end).equals(bytes)).toBe(true);
      expect(kept.detach()).toBe(kept);
    }
  });
});

describe('a PUBLISH moved to other bytes', () => {
  test('says the same there, and nothing of what it came in', () => {
    for (const vector of packetVectors) {
      if (vector.packet.type !== 'PUBLISH') continue;
      const bytes = vectorBytes(vector.hex);
      const chunk = Buffer.concat([hex('c000'), bytes, hex('c000')]);
      const frame = decodeChunks([chunk], vector.version)[1] as PublishFrame;
      const before = plainPacket(frame);
      const target = Buffer.alloc(bytes.length + 8, 0xff);
      frame.moveTo(target, 5);
      chunk.fill(0);
      expect(plainPacket(frame)).toEqual(before);
      expect(frame.source).toBe(target);
      expect([frame.frameStart, frame.end]).toEqual([5, 5 + bytes.length]);
      expect(frame.payload.buffer).toBe(target.buffer);
      expect(target.subarray(5, -3).equals(bytes)).toBe(true);
      expect([...target.subarray(0, 5), ...target.subarray(-3)]).toEqual(new Array(8).fill(0xff));
    }
  });
});

describe('topics that were seen before', () => {
  const publish = (topic: string): Buffer => {
    const text = Buffer.from(topic);
    return Buffer.concat([
      Buffer.from([0x30, 0x80 | ((text.length + 2) % 128), Math.floor((text.length + 2) / 128)]),
      Buffer.from([text.length >> 8, text.length & 255]),
      text,
    ]);
  };

  test('are told apart, far more of them than are remembered, short and long', () => {
    const topics = Array.from({ length: 20_000 }, (_, index) => `t/${index}/`.padEnd(126 + (index % 6), 'x'));
    for (let round = 0; round < 2; round++) {
      const found = publishes(Buffer.concat(topics.map(publish))).map(({ topic }) => topic);
      expect(found).toEqual(topics);
    }
  });

  test('do not let a wrong one pass that resembles them', () => {
    const good = `${'a'.repeat(125)}/b`;
    const wrong = `${'a'.repeat(125)}/#`;
    for (let round = 0; round < 3; round++) {
      expect(publishes(publish(good)).map(({ topic }) => topic)).toEqual([good]);
      expect(() => publishes(publish(wrong))).toThrow('wildcard');
    }
  });

  test('survive the chunk they came in', () => {
    const bytes = publish('x'.repeat(126));
    publishes(bytes);
    bytes.fill(0x79, 5);
    expect(publishes(bytes).map(({ topic }) => topic)).toEqual(['y'.repeat(126)]);
    expect(publishes(publish('x'.repeat(126))).map(({ topic }) => topic)).toEqual(['x'.repeat(126)]);
  });
});
