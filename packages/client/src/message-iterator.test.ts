import { PublishFrame } from '@tsmqtt/protocol';
import { expect, test } from 'vitest';
import { ClientError } from './client-error.js';
import { MessageIterator } from './message-iterator.js';

class Recorder {
  readonly events: string[] = [];
  readonly iterator: MessageIterator;

  constructor(highWater: number, signal?: AbortSignal) {
    this.iterator = new MessageIterator(
      {
        blocked: (_who, blocked) => this.events.push(blocked ? 'full' : 'room'),
        remove: () => this.events.push('removed'),
      },
      highWater,
      signal,
    );
  }
}

/** A message inside a chunk of 1000 bytes. */
function message(payload: string): PublishFrame {
  const source = Buffer.alloc(1000);
  source.write(payload, 100);
  return new PublishFrame(source, 95, 97, 98, 100, 100 + payload.length, 4, 't', 0, []);
}

test('asks for a pause when it is full, and for more when half of it is gone', async () => {
  const { events, iterator } = new Recorder(4);
  for (const payload of ['1', '2', '3']) iterator.push(message(payload));
  expect(events).toEqual([]);
  iterator.push(message('4'));
  iterator.push(message('5'));
  expect(events).toEqual(['full']);
  await iterator.next();
  await iterator.next();
  expect(events).toEqual(['full']);
  await iterator.next();
  expect(events).toEqual(['full', 'room']);
});

test('gives copies, which keep nothing of the chunk', async () => {
  const { iterator } = new Recorder(4);
  const received = message('1');
  iterator.push(received);
  received.source.fill(0);
  const { value } = await iterator.next();
  expect(Buffer.from(value!.payload).toString()).toBe('1');
});

test('a reader that waits gets the message at once', async () => {
  const { events, iterator } = new Recorder(1);
  const [first, second] = [iterator.next(), iterator.next()];
  iterator.push(message('1'));
  iterator.push(message('2'));
  expect((await first).value).toMatchObject({ payloadLength: 1 });
  expect((await second).done).toBe(false);
  expect(events).toEqual([]);
});

test('what is there is given before the end, and the end is told once', async () => {
  const { events, iterator } = new Recorder(4);
  iterator.push(message('1'));
  const error = new ClientError('keep-alive', 'test');
  iterator.end(error);
  iterator.end(undefined);
  iterator.push(message('2'));
  expect(events).toEqual(['removed']);
  expect((await iterator.next()).done).toBe(false);
  await expect(iterator.next()).rejects.toBe(error);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test('a signal ends it at once', async () => {
  const controller = new AbortController();
  const { events, iterator } = new Recorder(4, controller.signal);
  iterator.push(message('1'));
  controller.abort('why');
  await expect(iterator.next()).rejects.toMatchObject({ code: 'aborted', cause: 'why' });
  expect(events).toEqual(['removed']);
  await expect(new Recorder(4, controller.signal).iterator.next()).rejects.toMatchObject({ code: 'aborted' });
});

test('break ends it', async () => {
  const { events, iterator } = new Recorder(4);
  iterator.push(message('1'));
  iterator.push(message('2'));
  for await (const _ of iterator) break;
  expect(events).toEqual(['removed']);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});
