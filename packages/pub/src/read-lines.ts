import type { HandledSignal, Io } from '@tsmqtt/cli-kit';
import { ClientError, type PublishBatch } from '@tsmqtt/client';
import type { LineSplitter } from './line-splitter.js';

/** What stops the reading, and the waiting for what was read (P-24). */
export const HANDLED_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What ended the reading of standard input. */
export type ReadEnd =
  | { readonly why: 'end of input' }
  | { readonly why: 'signal'; readonly signal: HandledSignal }
  | { readonly why: 'input error'; readonly error: unknown }
  /** The client is closed, or refused a line. */
  | { readonly why: 'client error'; readonly error: ClientError | undefined };

/** Bytes behind the chunk in work; there the reading stops until the batch has room. */
const READ_AHEAD = 65_536;

/**
 * Reads standard input into the batch, line by line and no faster than the batch takes them, until the input ends,
 * a signal comes or the client cannot go on. A little is read ahead, so that the end of the input behind it is
 * seen while lines wait: `onInputEnd` tells of that, before they are through.
 */
export function readLines(
  io: Io,
  splitter: LineSplitter,
  batch: PublishBatch,
  closed: Promise<ClientError | undefined>,
  onInputEnd: () => void,
): Promise<ReadEnd> {
  const { stdin } = io;
  return new Promise<ReadEnd>((resolve, reject) => {
    let over = false;
    let ended = false;
    /** A chunk is in work. A paused stream may report its end all the same. */
    let working = false;
    const ahead: Buffer[] = [];
    let aheadBytes = 0;

    const leave = (): void => {
      over = true;
      stdin.pause();
      stdin.off('data', onData).off('end', onEnd).off('error', onError);
      for (const ignore of ignoreSignals) ignore();
    };

    const stop = (end: ReadEnd): void => {
      if (over) return;
      leave();
      // It was read: its lines count behind those of the chunk in work.
      for (const chunk of ahead) {
        splitter.give({ write: () => true });
        splitter.push(chunk);
      }
      resolve(end);
    };

    const proceed = (): void => {
      if (over) return;
      try {
        while (splitter.give(batch)) {
          const next = ahead.shift();
          if (next === undefined) {
            working = false;
            if (ended) onEnd();
            else stdin.resume();
            return;
          }
          aheadBytes -= next.length;
          splitter.push(next);
        }
      } catch (error) {
        refused(error);
        return;
      }
      batch.drained().then(proceed, refused);
    };

    const refused = (error: unknown): void => {
      if (error instanceof ClientError) stop({ why: 'client error', error });
      else {
        leave();
        reject(error);
      }
    };

    const onData = (chunk: Buffer): void => {
      if (working) {
        ahead.push(chunk);
        aheadBytes += chunk.length;
        if (aheadBytes >= READ_AHEAD) stdin.pause();
        return;
      }
      working = true;
      splitter.push(chunk);
      proceed();
    };

    const onEnd = (): void => {
      if (!ended) onInputEnd();
      ended = true;
      if (working) return;
      try {
        splitter.end(batch);
        stop({ why: 'end of input' });
      } catch (error) {
        refused(error);
      }
    };

    const onError = (error: unknown): void => stop({ why: 'input error', error });

    const ignoreSignals = HANDLED_SIGNALS.map((signal) =>
      io.onSignal(signal, () => stop({ why: 'signal', signal })),
    );
    stdin.on('data', onData).on('end', onEnd).on('error', onError);
    void closed.then((error) => stop({ why: 'client error', error }));
  });
}
