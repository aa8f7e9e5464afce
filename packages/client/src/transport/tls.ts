import { UsageError } from '@tsmqtt/protocol';
import type { CancelSignal } from '../cancellation.js';
import type { Connector } from './connector.js';

/** A file's name, in bytes where it need not be UTF-8. */
export type FilePath = string | Buffer;

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What every kind of TLS has. */
export interface TlsHandshakeOptions {
  /** TLS 1.2 cipher list as OpenSSL spells it. Default: Node's, with PSK `PSK`. */
  readonly ciphers?: string;
  /** One ALPN protocol name, at most 254 bytes (cli §3.5). */
  readonly alpn?: string | Buffer;
  /** NSS key log lines are appended to this file. */
  readonly keyLogFile?: FilePath;
  /** Limit of the handshake in milliseconds, default 15,000. */
  readonly timeoutMs?: number;
}

export interface TlsOptions extends TlsHandshakeOptions {
  /**
   * Name or address that the certificate must be for, and the name for SNI (RFC 6066 3 has no addresses there).
   * undefined: any certificate of a trusted CA will do, and no SNI. For Unix sockets (cli §9.3).
   */
  readonly host: string | undefined;
  /** PEM bundle of trusted CAs. The kinds of trust add up; with none of them it is the OS store. */
  readonly caFile?: FilePath;
  /** Directory of trusted CAs: each file that is called `*.pem`, `*.crt` or `HASH.N`. */
  readonly caDirectory?: FilePath;
  /** The CAs that the operating system trusts; `env` may name others. */
  readonly osStore?: boolean;
  /** Where `SSL_CERT_FILE` and `SSL_CERT_DIR` are looked up; default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Our certificate and what chains it to its CA (PEM); with `keyFile`. */
  readonly certFile?: FilePath;
  /** Its private key (PEM). */
  readonly keyFile?: FilePath;
  /** Asked for the passphrase of an encrypted key, once for the connector. Without it such a key is an error. */
  readonly passphrase?: (keyFile: FilePath, signal: CancelSignal) => Promise<string>;
  /** Takes any certificate: neither its chain nor its name is checked (cli D-12). */
  readonly insecure?: boolean;
  /** Default TLS 1.2. */
  readonly minVersion?: TlsVersion;
  /** Default TLS 1.3. */
  readonly maxVersion?: TlsVersion;
  /** TLS 1.3 cipher suites, `TLS_...` with colons between. Default: Node's. */
  readonly cipherSuites?: string;
}

export interface TlsPskOptions extends TlsHandshakeOptions {
  readonly identity: string;
  /** The key in bytes; `pskFromHex` reads what users write. */
  readonly key: Uint8Array;
  /** Name for SNI; ignored where it is an address. */
  readonly host?: string;
}

/** TLS 1.2 or 1.3 over another connector (cli §9.3). Files are read at each connection, so that they may be renewed. */
export function tls(over: Connector, options: TlsOptions): Connector {
  if ((options.certFile === undefined) !== (options.keyFile === undefined)) {
    throw new UsageError('client-certificate', 'certFile and keyFile go together');
  }
  let handshake: Connector | undefined;
  return async (signal) => {
    const { certificateTls } = await import('./tls-handshake.js');
    handshake ??= certificateTls(over, options);
    return await handshake(signal);
  };
}

/** TLS 1.2 with a pre-shared key instead of certificates (RFC 4279, cli §9.3). */
export function tlsPsk(over: Connector, options: TlsPskOptions): Connector {
  return async (signal) => {
    const { preSharedKeyTls } = await import('./tls-handshake.js');
    return await preSharedKeyTls(over, options)(signal);
  };
}

/** Longest key that OpenSSL takes. */
const MAXIMUM_KEY_BYTES = 256;

/** A pre-shared key as users write it. @throws UsageError `invalid-psk`: not hexadecimal, empty, or over 256 bytes. */
export function pskFromHex(hex: string): Buffer {
  const key = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  if (!/^[0-9A-Fa-f]+$/.test(hex) || key.length > MAXIMUM_KEY_BYTES) {
    throw new UsageError(
      'invalid-psk',
      'the pre-shared key is not a hexadecimal number of at most 256 bytes',
    );
  }
  return key;
}
