import { type BrokerSettings, DEFAULT_LISTENER, type ListenerSettings } from '../settings.js';
import { NO_SECRETS, type SecretLoader, type Secrets } from './secrets.js';

/**
 * What the security settings say for the clients of one listener (broker §4.6). It lives as long as the listener: a
 * reload changes what it holds, for those that are connected too.
 */
export interface Realm {
  /** Which listener it is of: its path, or its host and port. Another process of the same configuration finds it by that. */
  readonly listener: string;
  /** CONNECT without a username is accepted (broker §4.1). */
  readonly anonymous: boolean;
  /** An empty Client Identifier is accepted, and one is assigned. */
  readonly allowZeroLengthClientId: boolean;
  /** Beginning of assigned Client Identifiers. */
  readonly autoIdPrefix: string;
  /** Another object after every reload. */
  readonly secrets: Secrets;
}

type MutableRealm = { -readonly [K in keyof Realm]: Realm[K] };

/** What the files of all listeners hold: by the listener's own settings, or by the broker's where it has none. */
export type SecretsByListener = (listener: ListenerSettings) => Secrets;

/** The realms of a broker, one for each listener. */
export class Realms {
  #settings: BrokerSettings;
  #secrets: SecretsByListener;
  readonly #realms = new Map<ListenerSettings, MutableRealm>();

  constructor(settings: BrokerSettings, secrets: SecretsByListener) {
    this.#settings = settings;
    this.#secrets = secrets;
  }

  /** What a reload falls back on. */
  get inForce(): { readonly listeners: readonly ListenerSettings[]; readonly secrets: SecretsByListener } {
    return { listeners: this.#settings.listeners, secrets: this.#secrets };
  }

  /** The realm of a listener. */
  of(listener: ListenerSettings): Realm {
    const known = this.#realms.get(listener);
    if (known !== undefined) return known;
    const realm = realmOf(this.#settings, listener, this.#secrets(listener));
    this.#realms.set(listener, realm);
    return realm;
  }

  /** The realm of the listener of this name; where there is none any more, that of the first. */
  named(name: string): Realm {
    const { listeners } = this.#settings;
    const listener = listeners.find((candidate) => nameOf(candidate) === name) ?? listeners[0];
    return this.of(listener ?? DEFAULT_LISTENER);
  }

  /** After a reload: every realm holds what the listener at the same place of `settings` says now. */
  update(settings: BrokerSettings, secrets: SecretsByListener): void {
    const before = this.#settings.listeners;
    const realms = [...this.#realms];
    this.#settings = settings;
    this.#secrets = secrets;
    this.#realms.clear();
    for (const [old, realm] of realms) {
      const listener = settings.listeners[before.indexOf(old)] ?? old;
      Object.assign(realm, realmOf(settings, listener, secrets(listener)));
      this.#realms.set(listener, realm);
    }
  }
}

function nameOf({ path, host, port }: ListenerSettings): string {
  return path ?? `${host ?? '*'}:${port}`;
}

function realmOf(settings: BrokerSettings, listener: ListenerSettings, secrets: Secrets): MutableRealm {
  const security = listener.security ?? settings;
  return {
    listener: nameOf(listener),
    anonymous: listener.allowAnonymous ?? security.allowAnonymous ?? settings.localOnly,
    allowZeroLengthClientId: security.allowZeroLengthClientId,
    autoIdPrefix: listener.autoIdPrefix ?? security.autoIdPrefix,
    secrets,
  };
}

/**
 * Loads the files of all listeners.
 *
 * @param old what is in force, at a reload; see `SecretLoader.load`.
 * @throws SecretFileError at a start.
 */
export async function loadSecrets(
  settings: BrokerSettings,
  loader: SecretLoader,
  old?: { readonly listeners: readonly ListenerSettings[]; readonly secrets: SecretsByListener },
): Promise<SecretsByListener> {
  const loaded = new Map<unknown, Secrets>();
  for (const [index, listener] of settings.listeners.entries()) {
    if (loaded.has(listener.security)) continue;
    const before = old?.listeners[index];
    const secrets = await loader.load(
      listener.security ?? settings,
      old === undefined || before === undefined ? undefined : old.secrets(before),
    );
    loaded.set(listener.security, secrets);
  }
  // For clients of this process too, which come through no listener.
  if (!loaded.has(undefined)) {
    loaded.set(undefined, await loader.load(settings, old?.secrets(DEFAULT_LISTENER)));
  }
  return (listener) => loaded.get(listener.security) ?? NO_SECRETS;
}
