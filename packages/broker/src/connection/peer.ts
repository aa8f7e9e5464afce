/** Who a client proved to be before MQTT began: by its certificate, its TLS-PSK identity, or a proxy's word for it. */
export interface PeerIdentity {
  /** Common Name of the certificate, or the PSK identity; undefined: it has none that can be a username. */
  readonly commonName: string | undefined;
  /** The certificate's whole subject as in RFC 2253, most specific first; undefined with PSK. */
  readonly subject: string | undefined;
}

/** Where a connection comes from, and what its way to the broker has shown. */
export interface Peer {
  /** Address, or the path of the Unix socket. */
  readonly address: string;
  /** 0 for Unix sockets. */
  readonly port: number;
  /** Undefined: it has proved nothing. */
  readonly identity?: PeerIdentity | undefined;
  /** As OpenSSL names them: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`; undefined: not encrypted. */
  readonly encryption?: { readonly version: string; readonly cipher: string } | undefined;
}
