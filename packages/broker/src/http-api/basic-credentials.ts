import type { Credentials } from '../auth/authenticate.js';

const ANONYMOUS: Credentials = { username: undefined, password: undefined };

/** Credentials of an `Authorization` header (RFC 7617): none without one; undefined where it makes no sense. */
export function basicCredentials(header: string | undefined): Credentials | undefined {
  if (header === undefined) return ANONYMOUS;
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(':');
  if (colon === -1) return undefined;
  return { username: bytes.toString('utf8', 0, colon), password: bytes.subarray(colon + 1) };
}
