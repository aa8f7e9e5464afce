import type { ByteSink } from '../format/byte-sink.js';
import type { CompiledFormat } from '../format/compile-format.js';
import { FormatPrinter } from '../format/format-printer.js';
import { localZone } from '../format/local-zone.js';
import { WallClock } from '../format/nanosecond-clock.js';
import type { Settings } from '../options/settings.js';
import type { Io } from '../program/io.js';
import type { Reporter } from '../program/reporter.js';
import type { PrintMessage } from './message-output.js';

/** Loaded only for `-F`: prints by the clock and in the time zone of the program's surroundings. */
export function formatOutput(
  format: CompiledFormat,
  { pretty, lineEnd }: Settings,
  output: ByteSink,
  io: Io,
  reporter: Reporter,
): PrintMessage {
  const printer = new FormatPrinter(format, {
    output,
    clock: new WallClock(() => io.now()),
    timeZone: () => localZone(io.env),
    pretty,
    lineEnd,
    report: (text) => reporter.report(text),
  });
  return (message) => printer.print(message);
}
