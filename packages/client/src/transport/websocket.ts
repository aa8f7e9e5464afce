import type { Connector } from './connector.js';

export interface WebSocketOptions {
  /** Name or address for the `Host` header. */
  readonly host: string;
  /** Port for the `Host` header, where it is not the default one. */
  readonly port: number;
  /** It runs over TLS: decides the default port for the `Host` header, 443 instead of 80. */
  readonly secure?: boolean;
  /** Path and query of the request, default `/mqtt`. */
  readonly path?: string;
  /** Further headers of the request, in order; a name may come again. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Limit of the handshake in milliseconds, default 15,000. */
  readonly timeoutMs?: number;
}

/**
 * MQTT over WebSocket (MQTT-6, cli §9.4), over a connector to the server: TCP, TLS, SOCKS5 or a Unix socket.
 * Rejects with `websocket-handshake`, and with `UsageError` `websocket-request` where path or headers cannot be sent.
 */
export function websocket(over: Connector, options: WebSocketOptions): Connector {
  return async (signal) => {
    const { openWebSocket } = await import('./websocket-handshake.js');
    return await openWebSocket(over, options, signal);
  };
}
