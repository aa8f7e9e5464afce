import type { Duplex } from 'node:stream';

/**
 * Opens one byte duplex to the broker: the seam between MQTT and what carries it. Rejects with a ClientError
 * (`connect-failed`, `lookup-failed`), or with anything where `signal` aborted it.
 */
export type Connector = (signal: AbortSignal) => Promise<Duplex>;
