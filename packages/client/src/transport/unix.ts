import { connect, type Socket } from 'node:net';
import { ClientError } from '../client-error.js';
import { attempt, discard, HANDSHAKE_TIMEOUT_MS } from './attempt.js';
import type { Connector } from './connector.js';
import { keepLastBytes } from './last-bytes.js';

export interface UnixOptions {
  /** Path of the socket; the system bounds its length (107 bytes on Linux). */
  readonly path: string;
  /** Limit in milliseconds, default 15,000: a listener with a full backlog keeps us waiting. */
  readonly timeoutMs?: number;
}

/** A Unix stream socket (cli §9.2). */
export function unix(options: UnixOptions): Connector {
  const { path, timeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const failed = (cause: Error): ClientError =>
    new ClientError('connect-failed', cause.message, { address: path, cause });
  return async (signal) => {
    signal.throwIfAborted();
    const timedOut = (): ClientError =>
      failed(Object.assign(new Error(`connect ETIMEDOUT ${path}`), { code: 'ETIMEDOUT', errno: -110 }));
    return await attempt<Socket>({ signal, timeoutMs, timedOut }, (succeed, fail) => {
      const socket = keepLastBytes(connect({ path }));
      const onError = (cause: Error): void => fail(failed(cause));
      socket.on('error', onError).once('connect', () => {
        socket.off('error', onError);
        succeed(socket);
      });
      return () => discard(socket);
    });
  };
}
