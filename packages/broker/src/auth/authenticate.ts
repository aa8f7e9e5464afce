import type { Connection } from '../connection/connection.js';

/** What becomes of a client that wants in. `busy`: too many password checks are waiting (broker B-12). */
export type AuthVerdict = 'accepted' | 'refused' | 'busy';

/** User Name and Password of a CONNECT (3.1.3.5, 3.1.3.6). */
export interface Credentials {
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
}

/** Who may connect (broker §4.1). Answers at once where nothing has to be hashed. */
export function authenticate(
  connection: Connection,
  credentials: Credentials,
): AuthVerdict | Promise<AuthVerdict> {
  const { anonymous, secrets } = connection.realm;
  const { verifier } = secrets;
  if (verifier === undefined || credentials.username === undefined) return anonymous ? 'accepted' : 'refused';
  // With a password file a username has to verify even where anonymous clients are allowed.
  return verifier.verify(credentials.username, credentials.password);
}
