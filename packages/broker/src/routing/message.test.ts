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
    const frame = composeFrame('a', Buffer.from('alone'), 0, false, [], 5);
    const { source } = frame;
    new Message('a', frame, Number.POSITIVE_INFINITY).keep();
    expect(frame.source).toBe(source);
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
