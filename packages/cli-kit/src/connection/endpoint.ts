import { isIPv6 } from 'node:net';
import type { Settings } from '../options/settings.js';

/** Where the broker is. */
export interface Endpoint {
  /** Name or address, or the path of a Unix socket. */
  readonly host: string;
  /** 0: a Unix socket (cli §9.2). */
  readonly port: number;
}

/** Port where none was given (cli §9.1). */
const DEFAULT_PORT = 1883;

/** The same where certificates or a pre-shared key were, even if `--no-tls` makes nothing of them (cli §9.1). */
const DEFAULT_TLS_PORT = 8883;

/** Where the command line says the broker is. */
export function endpointOf({ host, port, tls, local }: Settings): Endpoint {
  const encrypted = tls.caFile !== undefined || tls.caDirectory !== undefined || tls.psk !== undefined;
  return { host, port: port ?? (encrypted && !local ? DEFAULT_TLS_PORT : DEFAULT_PORT) };
}

/** `localhost:1883`, `[::1]:1883`, or the path of a Unix socket. */
export function endpointName({ host, port }: Endpoint): string {
  if (port === 0) return host;
  // A colon first: the first test for IPv6 in a process takes as long as a publish.
  return host.includes(':') && isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
