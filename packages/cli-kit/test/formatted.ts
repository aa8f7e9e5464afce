import { NO_PROPERTIES, PacketType, type Publish } from '@tsmqtt/protocol';
import { ByteBuffer } from '../src/format/byte-sink.js';
import { compileFormat } from '../src/format/compile-format.js';
import { type FormatContext, FormatPrinter } from '../src/format/format-printer.js';
import { UTC } from '../src/format/time-zone.js';

export type MessageFields = Partial<Omit<Publish, 'payload'>> & { readonly payload?: string | Uint8Array };

/** A PUBLISH to `a/b` with the payload `hello`, but for what `fields` says. */
export function publish({ payload = 'hello', ...fields }: MessageFields = {}): Publish {
  return {
    type: PacketType.PUBLISH,
    topic: 'a/b',
    payload: Buffer.from(payload),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: NO_PROPERTIES,
    ...fields,
  };
}

/** A clock that shows the given readings, in nanoseconds since 1970, one after the other, and stays at the last. */
export function clockOf(...readings: readonly bigint[]): FormatContext['clock'] & { reads: number } {
  const clock = {
    reads: 0,
    seconds: 0,
    nanoseconds: 0,
    read() {
      const reading = readings[Math.min(clock.reads++, readings.length - 1)]!;
      clock.seconds = Number(reading / 1_000_000_000n);
      clock.nanoseconds = Number(reading % 1_000_000_000n);
    },
  };
  return clock;
}

/** What `format` prints for the messages, and what goes to stderr, byte for byte as latin1. */
export function formatted(
  format: string | Buffer,
  messages: Publish | readonly Publish[] = publish(),
  context: Partial<FormatContext> = {},
): { readonly out: Buffer; readonly errors: string } {
  const output = new ByteBuffer();
  let errors = '';
  const printer = new FormatPrinter(compileFormat(Buffer.from(format)), {
    output,
    clock: clockOf(1_795_431_081_075_397_123n),
    timeZone: () => UTC,
    pretty: false,
    lineEnd: false,
    report: (text) => {
      errors += text;
    },
    ...context,
  });
  for (const message of [messages].flat()) printer.print(message);
  return { out: Buffer.from(output.view()), errors };
}
