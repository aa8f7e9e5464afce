import type { Duplex } from 'node:stream';

/**
 * Opens one byte duplex to the broker: the seam between MQTT and what carries it. Rejects with a ClientError
 * (`connect-failed`, `lookup-failed`, those of TLS, WebSocket and the proxy), or with anything where `signal` aborted
 * it. Connectors stack: TLS, WebSocket and SOCKS5 each run over another one. A duplex that fails later may do so with
 * a ClientError too; any other error means `connection-lost`.
 */
export type Connector = (signal: AbortSignal) => Promise<Duplex>;
