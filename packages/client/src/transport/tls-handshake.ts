import { closeSync, openSync, writeSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  DEFAULT_CIPHERS,
  type PeerCertificate,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import type { CancelSignal } from '../cancellation.js';
import { ClientError } from '../client-error.js';
import { attempt, discard, HANDSHAKE_TIMEOUT_MS } from './attempt.js';
import { type Connector, meaning } from './connector.js';
import { keepLastBytes } from './last-bytes.js';
import type { FilePath, TlsHandshakeOptions, TlsOptions, TlsPskOptions } from './tls.js';
import { nameMismatch, tlsErrorText } from './tls-error.js';
import { setupError, systemText } from './tls-files.js';
import { IdentityReader } from './tls-identity.js';
import { trustedCertificates } from './tls-trust.js';

/** TLS by certificates. What can be found wrong before anything is sent is found first. */
export function certificateTls(over: Connector, options: TlsOptions): Connector {
  const { host, insecure = false, minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' } = options;
  const identityReader = new IdentityReader(options);
  return async (signal) => {
    const ca = trustedCertificates(options);
    const secureContext = createContext({
      ca,
      ...(await identityReader.read(signal)),
      minVersion,
      maxVersion,
      ciphers: cipherList(options),
    });
    return await overConnection(over, signal, options, {
      secureContext,
      ...serverName(host),
      rejectUnauthorized: !insecure,
      checkServerIdentity: (_name, certificate) => {
        // Node takes what it is handed for the name; ours may be an address, for which there is no SNI.
        return insecure || host === undefined ? undefined : checkName(host, certificate);
      },
    });
  };
}

/** TLS by a pre-shared key. */
export function preSharedKeyTls(over: Connector, options: TlsPskOptions): Connector {
  const { identity, key, host, ciphers = 'PSK' } = options;
  return async (signal) => {
    const secureContext = createContext({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers });
    return await overConnection(over, signal, options, {
      secureContext,
      ...serverName(host),
      pskCallback: () => ({ psk: key, identity }),
      // The server has shown that it knows the key.
      checkServerIdentity: () => undefined,
    });
  };
}

function createContext(options: SecureContextOptions): ReturnType<typeof createSecureContext> {
  try {
    return createSecureContext(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_SSL_NO_CIPHER_MATCH') throw setupError(`no cipher matches ${options.ciphers}`, error);
    throw setupError(tlsErrorText(error), error);
  }
}

const isSuite = (name: string): boolean => name.startsWith('TLS_');

/** Node has one list for both: the names of TLS 1.3 suites begin with `TLS_`. */
function cipherList({ ciphers, cipherSuites }: TlsOptions): string {
  const defaults = DEFAULT_CIPHERS.split(':');
  if (cipherSuites !== undefined && !cipherSuites.split(':').every(isSuite)) {
    throw setupError(`no cipher matches ${cipherSuites}`);
  }
  return [
    cipherSuites ?? defaults.filter(isSuite).join(':'),
    ciphers ?? defaults.filter((name) => !isSuite(name)).join(':'),
  ].join(':');
}

/** SNI has names only (RFC 6066 3). */
function serverName(host: string | undefined): ConnectionOptions {
  return host === undefined || isIP(host) !== 0 ? {} : { servername: host };
}

function checkName(host: string, certificate: PeerCertificate): ClientError | undefined {
  // The zone of a link-local address is ours alone.
  const name = isIP(host) === 6 ? host.replace(/%.*/, '') : host;
  const cause = checkServerIdentity(name, certificate);
  if (cause === undefined) return undefined;
  return new ClientError('tls-failed', nameMismatch(host, certificate), { cause });
}

async function overConnection(
  over: Connector,
  signal: CancelSignal,
  options: TlsHandshakeOptions,
  settings: ConnectionOptions,
): Promise<TLSSocket> {
  const { alpn, keyLogFile } = options;
  const protocols = alpn === undefined ? {} : { ALPNProtocols: protocolList(alpn) };
  const keyLog = keyLogFile === undefined ? undefined : openKeyLog(keyLogFile);
  let base: Duplex | undefined;
  try {
    base = await over(signal);
    const socket = await shakeHands(base, { ...settings, ...protocols }, options, keyLog, signal);
    // TLS 1.3 changes keys when it wants to; their lines come later.
    if (keyLog !== undefined) socket.once('close', () => closeSync(keyLog));
    return socket;
  } catch (error) {
    if (keyLog !== undefined) closeSync(keyLog);
    if (base !== undefined) discard(base);
    throw error;
  }
}

/** One name as RFC 7301 3.1 has it: a byte of length, then the name. */
function protocolList(name: string | Buffer): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length < 1 || bytes.length > 254) {
    throw setupError('the name of the ALPN protocol is not 1 to 254 bytes long');
  }
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function openKeyLog(file: FilePath): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    throw setupError(`cannot write the key log ${file}: ${systemText(error)}`, error);
  }
}

function shakeHands(
  base: Duplex,
  settings: ConnectionOptions,
  { timeoutMs = HANDSHAKE_TIMEOUT_MS }: TlsHandshakeOptions,
  keyLog: number | undefined,
  signal: CancelSignal,
): Promise<TLSSocket> {
  const timedOut = (): ClientError =>
    new ClientError('tls-interrupted', `no answer to the TLS handshake within ${timeoutMs} ms`);
  return attempt<TLSSocket>({ signal, timeoutMs, timedOut }, (succeed, fail) => {
    const socket = keepLastBytes(connect({ ...settings, socket: base }));
    base.on('error', (error) => socket.destroy(error));
    if (keyLog !== undefined) socket.on('keylog', (line: Buffer) => writeSync(keyLog, line));
    const onError = (error: Error): void => fail(handshakeFailed(error));
    const onClose = (): void => fail(interrupted());
    socket
      .on('error', onError)
      .on('close', onClose)
      .once('secureConnect', () => {
        socket.off('error', onError).off('close', onClose);
        explainLateFailures(socket);
        succeed(socket);
      });
    return () => discard(socket);
  });
}

/** How a connection ends that is cut off. */
const CUT_OFF: ReadonlySet<string | undefined> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_SSL_UNEXPECTED_EOF_WHILE_READING',
]);

function interrupted(cause?: Error): ClientError {
  const message = 'the server closed the connection during the TLS handshake';
  return new ClientError('tls-interrupted', message, { cause });
}

function handshakeFailed(error: NodeJS.ErrnoException): ClientError {
  return CUT_OFF.has(error.code) ? interrupted(error) : tlsFailed(error);
}

function tlsFailed(error: Error): ClientError {
  return meaning(error) ?? new ClientError('tls-failed', tlsErrorText(error), { cause: error });
}

/**
 * A TLS 1.3 server looks at our certificate after the handshake is over for us, and what it thinks of it arrives as
 * the error of a connection that stood already. Nobody can put another error in its place, but it can be given a cause.
 */
function explainLateFailures(socket: TLSSocket): void {
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code?.startsWith('ERR_SSL_')) error.cause = tlsFailed(error);
  });
}
