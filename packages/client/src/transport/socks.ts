import type { Connector } from './connector.js';

export interface SocksOptions {
  /** The server behind the proxy. A name is resolved by the proxy (RFC 1928 4, address type 3). */
  readonly host: string;
  readonly port: number;
  /** Offers authentication by user name and password (RFC 1929) besides none. At most 255 bytes. */
  readonly username?: string;
  /** Default: an empty one (cli §9.5). At most 255 bytes. */
  readonly password?: string;
  /** Limit in milliseconds from the first byte to the proxy until it is connected, default 15,000. */
  readonly timeoutMs?: number;
}

/** Through a SOCKS5 proxy (RFC 1928), to which the other connector leads. */
export function socks(over: Connector, options: SocksOptions): Connector {
  return async (signal) => {
    const { connectThroughProxy } = await import('./socks-handshake.js');
    return await connectThroughProxy(over, options, signal);
  };
}
