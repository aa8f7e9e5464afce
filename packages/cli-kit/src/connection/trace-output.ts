import type { Settings } from '../options/settings.js';
import type { Io } from '../program/io.js';
import type { ConnectionHandlers } from './open-connection.js';
import { Trace } from './trace.js';

/** `-d` of the programs that write little else: every packet on stdout, at once (cli §16). */
export function traceToStdout(settings: Settings, io: Io): ConnectionHandlers {
  if (!settings.debug) return {};
  const trace = new Trace();
  return {
    onPacket: (direction, packet) => {
      const lines = trace.lines(direction, packet);
      if (lines !== '') io.stdout.write(lines);
    },
  };
}
