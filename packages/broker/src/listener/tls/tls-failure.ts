import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { datelessFailure, type Trust } from './dateless-trust.js';

/** Why a handshake failed, for the log: OpenSSL's reason, or the system's. */
export function tlsFailureText(error: Error): string {
  const { reason, message } = error as Error & { readonly reason?: string };
  // Node's own message is OpenSSL's queue with the lines of its source.
  return `TLS handshake failed: ${reason ?? message.split('\n')[0]}`;
}

/** What OpenSSL found out about the certificate; Node has a public name for it on the sockets of tls.Server only. */
interface Verified {
  readonly ssl?: { verifyError?(): NodeJS.ErrnoException | null } | null;
}

const OUT_OF_TIME: ReadonlySet<string | undefined> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Most certificates of a client that are looked at. */
const MOST_PRESENTED = 10;

/**
 * Why the certificate of a client is refused, for the log; undefined: it is not.
 *
 * @param dateless with `disable_client_cert_date_checks`: what the chain must lead to.
 */
export function verificationFailure(
  secured: TLSSocket,
  dateless: (() => Trust) | undefined,
): string | undefined {
  const { ssl } = secured as Verified;
  if (ssl?.verifyError === undefined) return failed('not verified');
  const error = ssl.verifyError();
  if (error === null) return undefined;
  if (dateless === undefined || !OUT_OF_TIME.has(error.code)) return failed(error.message);
  const [leaf, ...presented] = presentedBy(secured);
  const failure = leaf === undefined ? 'no certificate' : datelessFailure(leaf, presented, dateless());
  return failure === undefined ? undefined : failed(failure);
}

function failed(why: string): string {
  return `TLS handshake failed: certificate verify failed (${why})`;
}

/** The client's certificate, and what it sent to go with it. */
function presentedBy(secured: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = secured.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < MOST_PRESENTED) {
    chain.push(new X509Certificate(next.raw));
    // The issuer of a root is itself.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
