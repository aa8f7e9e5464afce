import { isIPv6 } from 'node:net';
import { UsageError } from '@tsmqtt/protocol';

/** A SOCKS5 proxy as users write it. */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

const SCHEME = 'socks5h://';
const DEFAULT_PORT = 1080;

/** `code` is one of these; the messages are the ones of cli §4 without `Error: `, and empty for `malformed`. */
export type ProxyUrlErrorCode =
  | 'unsupported-proxy-protocol'
  | 'proxy-username-colon'
  | 'invalid-proxy'
  | 'invalid-proxy-port'
  | 'duplicate-ipv6-address'
  | 'malformed-proxy-url';

/**
 * Parses `socks5h://[user[:password]@]host[:port]` (cli §9.5): the scheme in lower case, an IPv6 address in brackets.
 * @throws UsageError whose code is a ProxyUrlErrorCode
 */
export function parseProxyUrl(url: string): ProxyAddress {
  if (!url.startsWith(SCHEME))
    throw invalid('unsupported-proxy-protocol', `Unsupported proxy protocol: ${url}`);
  const parts = url.slice(SCHEME.length).split('@');
  const address = parts.pop() ?? '';
  if (parts.length > 1) throw malformed();
  const [user] = parts;
  return { ...credentials(user), ...hostAndPort(address) };
}

function credentials(user: string | undefined): { username?: string; password?: string } {
  if (user === undefined) return {};
  const [username = '', password, ...more] = user.split(':');
  if (more.length > 0) throw invalid('proxy-username-colon', "Username cannot contain ':'.");
  if (username === '' || password === '') throw malformed();
  return { username: decode(username), ...(password === undefined ? {} : { password: decode(password) }) };
}

const ESCAPES: Readonly<Record<string, string>> = { '25': '%', '3A': ':', '3a': ':', '40': '@' };

/** The three characters that would end a part; nothing else may be escaped (cli §9.5, D-13). */
function decode(text: string): string {
  return text.replaceAll(/%(.{0,2})/gs, (_escape, digits: string) => {
    const character = ESCAPES[digits];
    if (character === undefined) throw malformed();
    return character;
  });
}

function hostAndPort(address: string): { host: string; port: number } {
  if (address === '') throw invalid('invalid-proxy', 'Invalid proxy.');
  if (address.includes('[')) {
    if (address.indexOf('[') !== address.lastIndexOf('[')) {
      throw invalid('duplicate-ipv6-address', 'Duplicate IPv6 address.');
    }
    const [, host = '', colon, port] = /^\[([^\]]*)\](?:(:)(.*))?$/s.exec(address) ?? [];
    if (!isIPv6(host)) throw malformed();
    return { host, port: colon === undefined ? DEFAULT_PORT : parsePort(port ?? '') };
  }
  const [host = '', port, ...more] = address.split(':');
  if (host === '' || more.length > 0) throw malformed();
  return { host, port: port === undefined ? DEFAULT_PORT : parsePort(port) };
}

function parsePort(text: string): number {
  if (text === '') throw invalid('invalid-proxy', 'Invalid proxy.');
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw invalid('invalid-proxy-port', `Invalid proxy port ${text}`);
  return port;
}

function invalid(code: ProxyUrlErrorCode, message: string): UsageError {
  return new UsageError(code, message);
}

function malformed(): UsageError {
  return invalid('malformed-proxy-url', '');
}
