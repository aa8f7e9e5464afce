import { Identity } from '../auth/identity.js';
import type { Engine } from '../engine.js';
import type { StoredIdentity } from './store.js';

export function storedIdentity({ clientId, username, realm }: Identity): StoredIdentity {
  return { clientId, username, listener: realm.listener };
}

/** The same client under the rules of today. */
export function identityOf(engine: Engine, { clientId, username, listener }: StoredIdentity): Identity {
  return new Identity(engine.realms.named(listener), clientId, username, engine.log);
}
