/** TLS of a listener (broker §3.3). Paths are read at the start and at every reload. */
export interface TlsSettings {
  /** Certificate chain of the listener, its own first, PEM; turns TLS on. */
  readonly certFile: string | undefined;
  /** Private key of that certificate, PEM, not encrypted. */
  readonly keyFile: string | undefined;
  /** Authorities for client certificates, PEM. */
  readonly caFile: string | undefined;
  /** Folder of such files, `*.pem`, `*.crt` and `*.N`. */
  readonly caPath: string | undefined;
  /** Revocation lists for client certificates and their authorities, PEM. */
  readonly crlFile: string | undefined;
  /** Clients must present a certificate of one of these authorities; otherwise none is asked for. */
  readonly requireCertificate: boolean;
  /** Accept certificates of clients outside of their time. */
  readonly disableClientCertDateChecks: boolean;
  /** The Common Name of the client's certificate, or its PSK identity, is its username. */
  readonly useIdentityAsUsername: boolean;
  /** The whole subject of the client's certificate is its username; the Common Name goes first if both are asked for. */
  readonly useSubjectAsUsername: boolean;
  /** Lowest version: `tlsv1.2`, `tlsv1.3`, or `tlsv1.1`, which OpenSSL's default security level prevents. */
  readonly tlsVersion: string;
  /** Cipher list of TLS 1.2 as OpenSSL spells it; undefined: Node's, or `PSK`. */
  readonly ciphers: string | undefined;
  /** Cipher suites of TLS 1.3; undefined: Node's. */
  readonly ciphersTls13: string | undefined;
  /** Turns TLS-PSK on, which is TLS 1.2; the hint is sent to clients. */
  readonly pskHint: string | undefined;
}

/** No TLS. */
export const DEFAULT_TLS: TlsSettings = {
  certFile: undefined,
  keyFile: undefined,
  caFile: undefined,
  caPath: undefined,
  crlFile: undefined,
  requireCertificate: false,
  disableClientCertDateChecks: false,
  useIdentityAsUsername: false,
  useSubjectAsUsername: false,
  tlsVersion: 'tlsv1.2',
  ciphers: undefined,
  ciphersTls13: undefined,
  pskHint: undefined,
};
