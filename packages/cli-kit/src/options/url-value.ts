import { isIPv6 } from 'node:net';
import { argumentError } from './argument-error.js';
import { integerValue } from './number-value.js';
import type { Settings } from './settings.js';

/** What a scheme stands for (cli §6, P-12). */
interface Scheme {
  readonly webSocket: boolean;
  readonly tls: boolean;
  readonly port: number;
}

// biome-ignore format: one row a line
const SCHEMES: Readonly<Record<string, Scheme>> = {
  mqtt: { webSocket: false, tls: false, port: 1883 },
  mqtts: { webSocket: false, tls: true, port: 8883 },
  ws: { webSocket: true, tls: false, port: 80 },
  wss: { webSocket: true, tls: true, port: 443 },
};

const SEPARATOR = '://';

/**
 * `-L scheme://[user[:password]@]host[:port]/topic` (cli §6, P-12, D-13): writes all but the topic into the settings
 * and answers the topic, as it was typed. The port is written where the URL has none, too. Throws ArgumentError.
 */
export function applyUrl(settings: Settings, value: Buffer): Buffer {
  // One character a byte: only ASCII is looked for, and the parts go back to bytes.
  const url = value.toString('latin1');
  const [name = '', ...more] = url.split(SEPARATOR);
  const scheme = more.length === 0 ? undefined : name.toLowerCase();
  if (scheme === undefined || !Object.hasOwn(SCHEMES, scheme)) {
    throw argumentError`Error: Unsupported URL scheme.\n\n`;
  }
  const rest = more.join(SEPARATOR);
  const slash = rest.indexOf('/');
  if (slash === -1) throw argumentError`Error: Invalid URL for -L argument specified - topic missing.\n`;
  const { webSocket, tls, port } = SCHEMES[scheme]!;
  const address = applyCredentials(settings, rest.slice(0, slash));
  const { host, portText } = hostAndPort(address);
  settings.host = bytesOf(host).toString();
  settings.port = portText === undefined ? port : portNumber(portText);
  settings.url = { webSocket, tls };
  settings.local = false;
  return bytesOf(rest.slice(slash + 1));
}

/** Takes the credentials into the settings and answers what follows them. */
function applyCredentials(settings: Settings, authority: string): string {
  const at = authority.indexOf('@');
  if (at === -1) return authority;
  const credentials = authority.slice(0, at);
  const colon = credentials.indexOf(':');
  settings.username = percentDecoded(colon === -1 ? credentials : credentials.slice(0, colon));
  if (colon !== -1) {
    settings.password = percentDecoded(credentials.slice(colon + 1));
    settings.passwordFile = undefined;
  }
  return authority.slice(at + 1);
}

function hostAndPort(address: string): { host: string; portText: string | undefined } {
  const [, literal, afterLiteral] = /^\[([^\]]*)\](?::(.*))?$/s.exec(address) ?? [];
  if (literal !== undefined && isIPv6(literal)) return { host: literal, portText: afterLiteral };
  const colon = address.indexOf(':');
  if (colon === -1) return { host: address, portText: undefined };
  return { host: address.slice(0, colon), portText: address.slice(colon + 1) };
}

/** A URL names no Unix socket, so 0 is as bad a port as any other that there is not (D-13). */
function portNumber(text: string): number {
  const port = integerValue(bytesOf(text), 1, 65535);
  if (port === undefined) throw argumentError`Error: Invalid port given: ${bytesOf(text)}\n`;
  return port;
}

/** What is no escape stays as it is: passwords with a `%` were written before there was decoding. */
function percentDecoded(text: string): Buffer {
  return bytesOf(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}

function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}
