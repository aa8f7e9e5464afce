import { type Connector, type SrvTarget, socks, srv, tcp, unix, websocket } from '@tsmqtt/client';
import type { Settings } from '../options/settings.js';
import { encryptionOf } from '../options/tls-checks.js';
import type { Io } from '../program/io.js';
import { ProgramError } from '../program/program-error.js';
import type { Endpoint } from './endpoint.js';

/** Longest path of a Unix socket on Linux, in bytes. */
const MAXIMUM_UNIX_PATH = 107;

/** What puts TLS over a connector to `host`; a Unix socket has none. */
export type Encrypt = (over: Connector, host: string | undefined) => Connector;

/**
 * Everything but plain TCP: Unix socket or TCP, the proxy over it, TLS over that, WebSocket on top (cli §9.2 to §9.5).
 * Loaded only where one of them is asked for. Throws ProgramError.
 */
export async function layeredConnector(settings: Settings, endpoint: Endpoint, io: Io): Promise<Connector> {
  const { host, port } = endpoint;
  if (port === 0 && (settings.proxy !== undefined || !isUnixPath(host))) {
    throw new ProgramError(1, 'Unable to connect (Invalid input).\n');
  }
  const encryption = encryptionOf(settings);
  const encrypt =
    encryption === 'none'
      ? undefined
      : await (await import('./encryption.js')).encrypting(encryption, settings, io);
  // Who answers to DNS is nobody to trust: a certificate must be for the domain that was typed.
  const to = (target: SrvTarget): Connector => layers(settings, target, host, encrypt);
  return settings.srv && port !== 0 ? srv({ host, secure: encrypt !== undefined }, to) : to(endpoint);
}

function isUnixPath(path: string): boolean {
  return path !== '' && Buffer.byteLength(path) <= MAXIMUM_UNIX_PATH;
}

function layers(
  settings: Settings,
  target: SrvTarget,
  named: string,
  encrypt: Encrypt | undefined,
): Connector {
  const { proxy, webSocketPath } = settings;
  const local = target.port === 0;
  let connector = local ? unix({ path: target.host }) : overTcp(settings, proxy ?? target);
  if (proxy !== undefined) {
    const { username, password } = proxy;
    const user = username === undefined ? {} : { username, password: password ?? '' };
    connector = socks(connector, { ...target, ...user });
  }
  if (encrypt !== undefined) connector = encrypt(connector, local ? undefined : named);
  if (!settings.webSocket && settings.url?.webSocket !== true) return connector;
  const secure = encrypt !== undefined;
  return websocket(connector, {
    // A path would be no name for the header.
    ...(local ? { host: 'localhost', port: secure ? 443 : 80 } : target),
    secure,
    headers: settings.webSocketHeaders,
    ...(webSocketPath === undefined ? {} : { path: webSocketPath }),
  });
}

/** TCP as the command line wants it (cli §3.1). */
function overTcp({ noDelay, bindAddress }: Settings, { host, port }: SrvTarget): Connector {
  return tcp({ host, port, noDelay, ...(bindAddress === undefined ? {} : { bindAddress }) });
}
