import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { PublishFrame } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MessagePrinter } from './message-printer.js';
import { Output } from './output.js';

/** A reader that takes a write when told to. */
class Reader extends Writable {
  readonly writes: Buffer[] = [];
  #take: (() => void)[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#take.push(() => {
      this.writes.push(Buffer.from(chunk));
      done();
    });
  }

  async takeAll(): Promise<void> {
    for (let take = this.#take.shift(); take !== undefined; take = this.#take.shift()) {
      take();
      await new Promise(setImmediate);
    }
  }

  get text(): string {
    return Buffer.concat(this.writes).toString('latin1');
  }
}

function connected(highWaterMark = 1_000_000) {
  const reader = new Reader({ highWaterMark });
  const events: string[] = [];
  const output = new Output(reader, {
    blocked: () => events.push('blocked'),
    ready: () => events.push('ready'),
    accepted: () => events.push('accepted'),
    closed: () => events.push('closed'),
  });
  return { reader, events, output };
}

describe('collected output', () => {
  test('goes out in one write per flush', async () => {
    const { reader, output } = connected();
    output.text('a');
    output.bytes(Buffer.from('bc'));
    output.byte(0x0a);
    output.flush();
    output.flush();
    await reader.takeAll();
    expect(reader.writes.map(String)).toEqual(['abc\n']);
  });

  test('is accepted when the last write is, not before', async () => {
    const { reader, output, events } = connected();
    output.text('a');
    output.flush();
    expect([output.idle, events]).toEqual([false, []]);
    await reader.takeAll();
    expect([output.idle, events]).toEqual([true, ['accepted']]);
  });

  test('tells when the reader does not keep up and when it does again', async () => {
    const { reader, output, events } = connected(4);
    output.bytes(Buffer.alloc(256 * 1024 - 1));
    output.flush();
    expect([output.blocked, events]).toEqual([false, []]);
    output.byte(0);
    output.flush();
    expect([output.blocked, events]).toEqual([true, ['blocked']]);
    await reader.takeAll();
    expect(output.blocked).toBe(false);
    expect(events).toContain('ready');
  });

  test('tells when the reader is gone, once', async () => {
    const { reader, output, events } = connected();
    reader.destroy(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    await new Promise(setImmediate);
    output.text('x');
    output.flush();
    await new Promise(setImmediate);
    expect(events).toEqual(['closed']);
  });

  test('a reader that takes everything at once is not slow, whatever the stream says of its own mark', async () => {
    const events: string[] = [];
    const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => done() });
    const output = new Output(stream, {
      blocked: () => events.push('blocked'),
      ready: () => events.push('ready'),
      accepted: () => events.push('accepted'),
      closed: () => events.push('closed'),
    });
    output.bytes(Buffer.alloc(1_000_000));
    output.flush();
    await new Promise(setImmediate);
    expect([output.blocked, events]).toEqual([false, ['accepted']]);
  });

  test('never changes bytes that were handed over, however many come', async () => {
    const { reader, output } = connected();
    let expected = '';
    for (let index = 0; index < 3000; index++) {
      const line = `${index}:${'x'.repeat((index * 37) % 700)}\n`;
      expected += line;
      output.bytes(Buffer.from(line));
      if (index % 100 === 0) output.flush();
    }
    output.bytes(Buffer.alloc(1_000_000, 0xff));
    expected += '\xff'.repeat(1_000_000);
    output.flush();
    await reader.takeAll();
    expect(reader.text === expected).toBe(true);
  });
});

/** As it is received: the payload lies among other bytes. */
function message(topic: string, payload: string): PublishFrame {
  const source = Buffer.from(`<${payload}>`, 'latin1');
  return new PublishFrame(source, 0, 0, 0, 1, source.length - 1, 4, topic, 0, []);
}

describe('messages without -F (cli §14.1)', () => {
  const cases = [
    { verbose: false, lineEnd: true, full: 'p\xff\0\n', empty: '' },
    { verbose: true, lineEnd: true, full: 'a/b p\xff\0\n', empty: 'a/b (null)\n' },
    { verbose: false, lineEnd: false, full: 'p\xff\0', empty: '' },
    { verbose: true, lineEnd: false, full: 'a/b p\xff\0', empty: '' },
  ];
  test.each(cases)('verbose $verbose, line end $lineEnd', async ({ full, empty, ...style }) => {
    const { reader, output } = connected();
    const printer = new MessagePrinter(output, style);
    printer.print(message('a/b', 'p\xff\0'));
    printer.print(message('a/b', ''));
    output.flush();
    await reader.takeAll();
    expect(reader.text).toBe(full + empty);
  });

  test('topics change and are UTF-8', async () => {
    const { reader, output } = connected();
    const printer = new MessagePrinter(output, { verbose: true, lineEnd: true });
    for (const topic of ['é', 'é', 'b']) printer.print(message(topic, '1'));
    output.flush();
    await reader.takeAll();
    expect(Buffer.concat(reader.writes).toString()).toBe('é 1\né 1\nb 1\n');
  });
});

test('how far a pipe is with a write is seen before the write is done', async () => {
  const reader = spawn('sleep', ['60'], { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(() => void reader.kill());
  const output = new Output(reader.stdin, { blocked() {}, ready() {}, accepted() {}, closed() {} });
  expect(output.unwritten).toBe(0);
  output.bytes(Buffer.alloc(4_000_000));
  output.flush();
  // The kernel has a part of it.
  expect(output.unwritten).toBeGreaterThan(0);
  expect(output.unwritten).toBeLessThan(4_000_000);
  expect(output.outstanding).toBe(1);
});
