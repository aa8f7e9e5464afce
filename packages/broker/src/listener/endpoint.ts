import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ListenerSettings } from '../settings.js';

/** One place that a listener listens at. */
export type Endpoint =
  | { readonly family: 'ipv4' | 'ipv6'; readonly host: string }
  | { readonly family: 'unix'; readonly path: string };

/** Places of `listener PORT` without a host. */
const EVERYWHERE: readonly Endpoint[] = [
  { family: 'ipv4', host: '0.0.0.0' },
  { family: 'ipv6', host: '::' },
];
const LOOPBACK: readonly Endpoint[] = [
  { family: 'ipv4', host: '127.0.0.1' },
  { family: 'ipv6', host: '::1' },
];

/**
 * Where a listener listens (broker §1.3, §3.2).
 *
 * @param localOnly it serves this machine alone.
 * @throws the operating system's error for a host that cannot be resolved.
 */
export async function endpointsOf(
  { path, host }: ListenerSettings,
  localOnly: boolean,
): Promise<readonly Endpoint[]> {
  if (path !== undefined) return [{ family: 'unix', path }];
  if (host === undefined) return localOnly ? LOOPBACK : EVERYWHERE;
  return resolve(host);
}

/** Every address that a name stands for. */
async function resolve(host: string): Promise<Endpoint[]> {
  if (isIP(host) !== 0) return [endpoint(host)];
  const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
  return [...new Set(addresses)].map(endpoint);
}

function endpoint(host: string): Endpoint {
  return { family: isIP(host) === 6 ? 'ipv6' : 'ipv4', host };
}

/** What tells one listener from another on reload (broker T-8): port and host as they were written, or the path. */
export function placeOf({ path, port, host }: ListenerSettings): string {
  return path === undefined ? `${port} ${host ?? ''}` : `0 ${path}`;
}
