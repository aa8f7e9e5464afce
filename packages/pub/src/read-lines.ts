import type { HandledSignal, Io } from '@tsmqtt/cli-kit';
import { ClientError, type PublishBatch } from '@tsmqtt/client';
import type { LineSplitter } from './line-splitter.js';

/** What ended the reading of standard input. */
export type ReadEnd =
  | { readonly why: 'end of input' }
  | { readonly why: 'signal'; readonly signal: HandledSignal }
  | { readonly why: 'input error'; readonly error: unknown }
  /** The client is closed, or refused a line. */
  | { readonly why: 'client error'; readonly error: ClientError | undefined };

/**
 * Reads standard input into the batch, line by line and no faster than the batch takes them, until the input ends,
 * a signal comes or the client cannot go on.
 */
export function readLines(
  io: Io,
  splitter: LineSplitter,
  batch: PublishBatch,
  closed: Promise<ClientError | undefined>,
): Promise<ReadEnd> {
  const { stdin } = io;
  return new Promise<ReadEnd>((resolve, reject) => {
    let over = false;
    let ended = false;
    /** A chunk is in work. A paused stream may report its end all the same. */
    let working = false;

    const leave = (): void => {
      over = true;
      stdin.pause();
      stdin.off('data', onData).off('end', onEnd).off('error', onError);
      for (const ignore of ignoreSignals) ignore();
    };

    const stop = (end: ReadEnd): void => {
      if (over) return;
      leave();
      resolve(end);
    };

    const proceed = (): void => {
      if (over) return;
      try {
        if (splitter.give(batch)) {
          working = false;
          if (ended) onEnd();
          else stdin.resume();
          return;
        }
      } catch (error) {
        refused(error);
        return;
      }
      stdin.pause();
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
      working = true;
      splitter.push(chunk);
      proceed();
    };

    const onEnd = (): void => {
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

    const ignoreSignals = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
      io.onSignal(signal, () => stop({ why: 'signal', signal })),
    );
    stdin.on('data', onData).on('end', onEnd).on('error', onError);
    void closed.then((error) => stop({ why: 'client error', error }));
  });
}
