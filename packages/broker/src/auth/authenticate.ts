import type { Connection } from '../connection/connection.js';

/** What becomes of a client that wants in. `busy`: too many password checks are waiting (broker B-12). */
export type AuthVerdict = 'accepted' | 'refused' | 'busy';

/** User Name and Password of a CONNECT (3.1.3.5, 3.1.3.6). */
export interface Credentials {
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  /** The name is not the client's word: its certificate or pre-shared key has proved it (broker §4.5). */
  readonly proved?: true;
}

/** Who may connect (broker §4.1). Answers at once where nothing has to be hashed. */
export function authenticate(
  { realm, engine }: Pick<Connection, 'realm' | 'engine'>,
  credentials: Credentials,
): AuthVerdict | Promise<AuthVerdict> {
  // It counts for everything, now and after every reload (broker §4.1, §4.8, T-14).
  if (credentials.proved) return 'accepted';
  const { anonymous, secrets } = realm;
  const { verifier, scram } = secrets;
  // Where names are proved by an Authentication Method, nobody is believed one who only says it.
  const provesNames = verifier !== undefined || scram !== undefined || engine.authMethods.length > 0;
  if (!provesNames || credentials.username === undefined) return anonymous ? 'accepted' : 'refused';
  if (verifier === undefined) return 'refused';
  // With a password file a username has to verify even where anonymous clients are allowed.
  return verifier.verify(credentials.username, credentials.password);
}
