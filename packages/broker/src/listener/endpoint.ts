import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ListenerSettings } from '../settings.js';
import { ListenerError } from './listener-error.js';

/** One place that a listener listens at. */
export type Endpoint = IpEndpoint | { readonly family: 'unix'; readonly path: string };

interface IpEndpoint {
  readonly family: 'ipv4' | 'ipv6';
  readonly host: string;
}

/** Places of `listener PORT` without a host. */
const EVERYWHERE: readonly IpEndpoint[] = [
  { family: 'ipv4', host: '0.0.0.0' },
  { family: 'ipv6', host: '::' },
];
const LOOPBACK: readonly IpEndpoint[] = [
  { family: 'ipv4', host: '127.0.0.1' },
  { family: 'ipv6', host: '::1' },
];

/** Interfaces of the machine, as `node:os` gives them. */
export type Interfaces = () => NodeJS.Dict<
  readonly { readonly address: string; readonly family: string; readonly scopeid?: number | undefined }[]
>;

/**
 * Where a listener listens (broker §1.3, §3.2).
 *
 * @param localOnly it serves this machine alone.
 * @throws ListenerError where nothing is left to listen at, the operating system's error for a host that is unknown.
 */
export async function endpointsOf(
  { path, host, bindInterface, socketDomain }: ListenerSettings,
  localOnly: boolean,
  interfaces: Interfaces = networkInterfaces,
): Promise<readonly Endpoint[]> {
  if (path !== undefined) return [{ family: 'unix', path }];
  const all = host === undefined ? (localOnly ? LOOPBACK : EVERYWHERE) : await resolve(host);
  const wanted = all.filter(({ family }) => socketDomain === undefined || family === socketDomain);
  if (wanted.length === 0) throw new ListenerError(`Error: ${host} has no ${socketDomain} address.`);
  return bindInterface === undefined ? wanted : onInterface(bindInterface, wanted, host, interfaces());
}

/** Every address that a name stands for. */
async function resolve(host: string): Promise<IpEndpoint[]> {
  if (isIP(host) !== 0) return [endpoint(host)];
  const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
  return [...new Set(addresses)].map(endpoint);
}

/** The addresses of an interface, as far as they are wanted: by their family, or by name where a host was given. */
function onInterface(
  name: string,
  wanted: readonly IpEndpoint[],
  host: string | undefined,
  interfaces: ReturnType<Interfaces>,
): IpEndpoint[] {
  const addresses = interfaces[name];
  if (addresses === undefined) throw new ListenerError(`Error: Interface ${name} not found.`);
  const found = addresses
    // A link-local address says which link only with the interface.
    .map(({ address, scopeid }) => endpoint(scopeid ? `${address}%${name}` : address))
    .filter((one) =>
      wanted.some((other) =>
        host === undefined ? other.family === one.family : other.host === one.host.replace(/%.*/, ''),
      ),
    );
  if (found.length > 0) return found;
  const which = host ?? [...new Set(wanted.map(({ family }) => family))].join(' or ');
  throw new ListenerError(`Error: Interface ${name} has no address for ${which}.`);
}

function endpoint(host: string): IpEndpoint {
  return { family: isIP(host) === 6 ? 'ipv6' : 'ipv4', host };
}

/** What tells one listener from another on reload (broker T-8): port and host as they were written, or the path. */
export function placeOf({ path, port, host }: ListenerSettings): string {
  return path === undefined ? `${port} ${host ?? ''}` : `0 ${path}`;
}
