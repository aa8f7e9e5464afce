import type { Output, PrintMessage } from '@tsmqtt/cli-kit';

/** Line of the screen for the first topic; the one above it names the broker. */
const FIRST_LINE = 2;

/** `-w`: prints each topic's messages over one another, on a line of the screen of its own (cli §12.7). */
export function watchScreen(print: PrintMessage, output: Output, host: string): PrintMessage {
  const lines = new Map<string, number>();
  const clear = '\x1b[2J';
  output.text(`${clear}${lineStart(1)}Broker: ${host}\n`);
  output.flush();
  return (message) => {
    const line = lines.get(message.topic) ?? FIRST_LINE + lines.size;
    lines.set(message.topic, line);
    output.text(lineStart(line));
    print(message);
    // The cursor waits below the last line, where it writes over nothing.
    output.text(`${lineStart(FIRST_LINE + lines.size - 1)}\n`);
  };
}

/** Moves the cursor to the start of a line, from 1. */
function lineStart(line: number): string {
  return `\x1b[${line};1H`;
}
