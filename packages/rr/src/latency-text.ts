const SECOND_MS = 1000;

/** The line of `--latency` (cli §13). C's `%f` has six decimals, whatever the unit. */
export function latencyText(milliseconds: number): string {
  return `Latency: ${amount(milliseconds)}\n`;
}

function amount(milliseconds: number): string {
  if (milliseconds >= SECOND_MS) return (milliseconds / SECOND_MS).toFixed(9);
  if (milliseconds >= 1) return `${milliseconds.toFixed(6)}ms`;
  const microseconds = milliseconds * 1000;
  if (microseconds >= 1) return `${microseconds.toFixed(6)}µs`;
  return `${Math.round(microseconds * 1000)}ns`;
}
