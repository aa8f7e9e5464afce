import type { PeerCertificate } from 'node:tls';

/** Node's names for what OpenSSL found, in plain words (cli P-10); `ALERT_` and the names of RFC 8446 6 for alerts. */
// biome-ignore format: one row a line
const TEXTS: Readonly<Record<string, string>> = {
  // The server's certificate, seen from here.
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate, which is not among the trusted ones',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate of an unknown CA: the chain ends in a self-signed certificate that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate of an unknown CA: an issuer is missing',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate of an unknown CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate of an unknown CA',
  CERT_SIGNATURE_FAILURE: 'certificate has a wrong signature',
  CERT_CHAIN_TOO_LONG: 'certificate chain is too long',
  CERT_REVOKED: 'certificate has been revoked',
  CERT_UNTRUSTED: 'certificate is not trusted for servers',
  CERT_REJECTED: 'certificate is rejected by its trust settings',
  INVALID_CA: 'certificate was issued by one that is not a CA',
  INVALID_PURPOSE: 'certificate is not meant for servers',
  PATH_LENGTH_EXCEEDED: 'certificate chain is longer than its CA allows',
  // What the server says to us.
  ALERT_BAD_CERTIFICATE: 'the server rejected the client certificate',
  ALERT_CERTIFICATE_EXPIRED: 'the server rejected the client certificate: it has expired',
  ALERT_CERTIFICATE_REVOKED: 'the server rejected the client certificate: it has been revoked',
  ALERT_CERTIFICATE_UNKNOWN: 'the server rejected the client certificate',
  ALERT_UNSUPPORTED_CERTIFICATE: 'the server rejected the client certificate: it is not meant for clients',
  ALERT_UNKNOWN_CA: 'the server rejected the client certificate: its CA is unknown there',
  ALERT_ACCESS_DENIED: 'the server denies access to the client certificate',
  ALERT_DECRYPT_ERROR: 'the server rejected the client certificate or key',
  ALERT_CERTIFICATE_REQUIRED: 'the server requires a client certificate',
  ALERT_HANDSHAKE_FAILURE: 'the server found no common ground: it requires a client certificate or other ciphers',
  ALERT_INSUFFICIENT_SECURITY: 'the server requires stronger ciphers',
  ALERT_PROTOCOL_VERSION: 'no TLS version in common with the server',
  ALERT_NO_APPLICATION_PROTOCOL: 'the server does not know the ALPN protocol',
  ALERT_UNRECOGNIZED_NAME: 'the server does not know the host name',
  ALERT_UNKNOWN_PSK_IDENTITY: 'the server does not know the PSK identity',
  ALERT_BAD_RECORD_MAC: 'the server could not decrypt the handshake; is the pre-shared key right?',
  ALERT_INTERNAL_ERROR: 'the server had an internal error',
  // What we make of its bytes.
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS on this port',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'no TLS version in common with the server',
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: 'no TLS version is left to be used',
  ERR_SSL_NO_CIPHERS_AVAILABLE: 'no cipher is left to be used',
  ERR_SSL_DH_KEY_TOO_SMALL: "the server's Diffie-Hellman key is too small",
  ERR_SSL_EE_KEY_TOO_SMALL: 'the key of the certificate is too small',
  ERR_SSL_CA_KEY_TOO_SMALL: "the key of the certificate's CA is too small",
  ERR_SSL_CA_MD_TOO_WEAK: 'the certificate has a signature that is too weak',
  ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED: 'the server lacks secure renegotiation (RFC 5746)',
};

/** What stands before the name of an alert; OpenSSL 3.2 writes `SSL/TLS` for what was `SSLV3`. */
const ALERT = /^ERR_SSL_(?:SSLV3|SSL\/TLS|TLSV13|TLSV1)_(?:ALERT_)?/;

/** Why TLS failed, without a capital or a final dot. */
export function tlsErrorText(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return TEXTS[code.replace(ALERT, 'ALERT_')] ?? opensslText(message);
}

/** OpenSSL's own words are the last part of `error:0A000126:SSL routines::unexpected eof`. */
function opensslText(message: string): string {
  return /error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message;
}

/** The certificate is somebody else's: whose it is, and whose it should be. */
export function nameMismatch(host: string, { subjectaltname, subject }: PeerCertificate): string {
  const alternatives = (subjectaltname ?? '')
    .split(', ')
    .map((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1])
    .filter((name) => name !== undefined);
  const names = alternatives.length > 0 ? alternatives : [subject?.CN ?? []].flat();
  return `certificate is for ${names.length === 0 ? 'no host' : names.join(', ')}, not for ${host}`;
}
