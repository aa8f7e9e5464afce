import type { PublishFrame } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { composeFrame, frameOf, Message } from './message.js';

/** A message out of a chunk that has more than it. */
function received(payload: string): { message: Message; chunk: Buffer } {
  const { source } = composeFrame('a/b', Buffer.from(payload), 1, false, [], 4);
  const chunk = Buffer.concat([source, Buffer.alloc(100)]);
  const alone = frameOf(source, 4) as PublishFrame;
  alone.source = chunk;
  return { message: new Message('a/b', alone, Number.POSITIVE_INFINITY), chunk };
}

describe('a message that is kept', () => {
  it.each([0, 1, 900, 2000, 100_000])('of %i bytes does not need the chunk it came in', (size) => {
    const payload = 'x'.repeat(size);
    const { message, chunk } = received(payload);
    message.keep();
    chunk.fill(0);
    expect(message.frame.payload.toString()).toBe(payload);
    expect(message.frame.source.buffer).not.toBe(chunk.buffer);
  });

  it('is copied once', () => {
    const { message } = received('once');
    message.keep();
    const { source, frameStart } = message.frame;
    message.keep();
    expect(message.frame.source).toBe(source);
    expect(message.frame.frameStart).toBe(frameStart);
  });

  it('stays where it is if it is alone there', () => {
    const source = Buffer.from(
      new Uint8Array(composeFrame('a', Buffer.from('alone'), 0, false, [], 5).source).buffer,
    );
    const frame = frameOf(source, 5) as PublishFrame;
    new Message('a', frame, Number.POSITIVE_INFINITY).keep();
    expect(frame.source).toBe(source);
  });

  it('keeps nothing of what else was encoded, where it was composed here', () => {
    const pieces = new Set<ArrayBufferLike>();
    for (let count = 0; count < 100; count++) {
      const frame = composeFrame('will', Buffer.from('gone'), 0, true, [], 5);
      new Message('will', frame, Number.POSITIVE_INFINITY).keep();
      pieces.add(frame.source.buffer);
      expect(frame.payload.toString()).toBe('gone');
      // Answers to others meanwhile.
      for (let size = 0; size < 32_768; size += 4096) composeFrame('x', Buffer.alloc(4096), 0, false, [], 5);
    }
    const bytes = [...pieces].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).toBeLessThanOrEqual(2 * 8192);
  });

  it('shares pieces of 8 KiB with others while it is small, and each has its own bytes', () => {
    const payloads = Array.from({ length: 2000 }, (_, index) => `${index}`.padEnd(1 + (index % 300), '.'));
    const kept = payloads.map((payload) => received(payload).message);
    for (const message of kept) message.keep();
    expect(kept.map(({ frame }) => frame.payload.toString())).toEqual(payloads);
    const pieces = new Set(kept.map(({ frame }) => frame.source));
    const bytes = kept.reduce((sum, { frame }) => sum + frame.end - frame.frameStart, 0);
    expect(Math.max(...[...pieces].map(({ length }) => length))).toBe(8192);
    expect(pieces.size).toBeLessThan(Math.ceil(bytes / 7000) + 2);
  });
});
