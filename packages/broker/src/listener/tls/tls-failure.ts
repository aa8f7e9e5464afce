import type { TLSSocket } from 'node:tls';

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

/** Why the certificate of a client is refused, for the log; undefined: it is not. */
export function verificationFailure(secured: TLSSocket): string | undefined {
  const { ssl } = secured as Verified;
  if (ssl?.verifyError === undefined) return 'TLS handshake failed: certificate verify failed (not verified)';
  const error = ssl.verifyError();
  if (error === null) return undefined;
  return `TLS handshake failed: certificate verify failed (${error.message})`;
}
