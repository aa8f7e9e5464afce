import type { Peer } from '../connection/peer.js';
import type { TlsSettings } from '../tls-settings.js';

/** The name comes from the certificate or the pre-shared key, and there is none. */
export const NO_IDENTITY = Symbol('no identity');

/**
 * The username that the client has proved, where the listener goes by that (broker §4.5, T-15); undefined: the one in its
 * CONNECT counts.
 */
export function provedUsername(listener: TlsSettings, peer: Peer): string | typeof NO_IDENTITY | undefined {
  if (listener.useIdentityAsUsername) return peer.identity?.commonName ?? NO_IDENTITY;
  if (listener.useSubjectAsUsername) return peer.identity?.subject ?? NO_IDENTITY;
  return undefined;
}
