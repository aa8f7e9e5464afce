import type { Socket } from 'node:net';

/** How a write fails whose peer is gone. */
const GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

type Answer = Parameters<Socket['_write']>[2];

/**
 * Lets `socket` be read to its end though its peer is gone: Node.js destroys a socket when a write fails, and with it what the
 * kernel has still for a reader that has paused. Here such a write stays unanswered until reading has found the end.
 */
export function keepLastBytes<S extends Socket>(socket: S): S {
  // A stream writes one thing after the other.
  let answer: Answer;
  const written = (error?: NodeJS.ErrnoException | null): void => {
    if (GONE.has(error?.code) && !socket.readableEnded) socket.once('end', () => answer(error));
    else answer(error);
  };
  const { _write: write, _writev: writev } = socket;
  socket._write = (chunk, encoding, callback) => {
    answer = callback;
    write.call(socket, chunk, encoding, written);
  };
  socket._writev = (chunks, callback) => {
    answer = callback;
    writev!.call(socket, chunks, written);
  };
  return socket;
}
