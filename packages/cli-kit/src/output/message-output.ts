import type { PublishFrame } from '@tsmqtt/protocol';
import type { ByteSink } from '../format/byte-sink.js';
import type { Settings } from '../options/settings.js';
import type { Io } from '../program/io.js';
import type { Reporter } from '../program/reporter.js';
import { MessagePrinter } from './message-printer.js';

export type PrintMessage = (message: PublishFrame) => void;

/** How messages are printed to `output`: as `-F` says, or as `-v` and `-N` do (cli §14). */
export async function messageOutput(
  settings: Settings,
  output: ByteSink,
  io: Io,
  reporter: Reporter,
): Promise<PrintMessage> {
  const { format } = settings;
  if (format !== undefined) {
    const { formatOutput } = await import('./format-output.js');
    return formatOutput(format, settings, output, io, reporter);
  }
  const printer = new MessagePrinter(output, settings);
  return (message) => printer.print(message);
}
