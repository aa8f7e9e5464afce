import type { Io } from '../program/io.js';

/** A connection that takes no longer than this shows nothing. */
const PATIENCE_MS = 300;

/**
 * Waits for `work`, with a spinner on stderr while it takes longer than 300 ms and stderr is a terminal. The spinner
 * is loaded only then.
 */
export async function withSpinner<T>(work: Promise<T>, text: string, io: Io, quiet: boolean): Promise<T> {
  if (quiet) return work;
  let over = false;
  let stop = () => {};
  const timer = setTimeout(async () => {
    // Asked only now: it opens the stream.
    if (!io.stderr.isTTY) return;
    const { default: ora } = await import('ora');
    if (over) return;
    const spinner = ora({ text, stream: io.stderr, discardStdin: false, hideCursor: false }).start();
    stop = () => spinner.stop();
  }, PATIENCE_MS);
  try {
    return await work;
  } finally {
    over = true;
    clearTimeout(timer);
    stop();
  }
}
