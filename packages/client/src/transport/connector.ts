import type { Duplex } from 'node:stream';
import type { CancelSignal } from '../cancellation.js';
import { ClientError } from '../client-error.js';

/**
 * Opens one byte duplex to the broker: the seam between MQTT and what carries it. Rejects with a ClientError
 * (`connect-failed`, `lookup-failed`, those of TLS, WebSocket and the proxy), or with anything where `signal` aborted
 * it. Connectors stack: TLS, WebSocket and SOCKS5 each run over another one.
 */
export type Connector = (signal: CancelSignal) => Promise<Duplex>;

/** The ClientError that a failed duplex means: its error, or what caused it. Others mean `connection-lost`. */
export function meaning(error: Error): ClientError | undefined {
  const { cause } = error;
  if (error instanceof ClientError) return error;
  return cause instanceof ClientError ? cause : undefined;
}
