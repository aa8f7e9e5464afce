import type { PasswordVerifier } from '@tsmqtt/credentials';
import { loadSecrets } from './auth/realm.js';
import type { SecretLoader } from './auth/secrets.js';
import type { Engine } from './engine.js';
import type { Listeners } from './listener/listeners.js';
import type { BrokerSettings } from './settings.js';

/** Puts new settings in force, in the order in which they are given, however long their files take to read. */
export class Reloading {
  readonly #engine: Engine;
  readonly #listeners: Listeners;
  readonly #newLoader: (verifier: PasswordVerifier | undefined) => SecretLoader;
  #verifier: PasswordVerifier | undefined;
  /** Resolves when those before are in force or have failed. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param verifier The host program's, until it gives another. */
  constructor(
    engine: Engine,
    listeners: Listeners,
    newLoader: (verifier: PasswordVerifier | undefined) => SecretLoader,
    verifier: PasswordVerifier | undefined,
  ) {
    this.#engine = engine;
    this.#listeners = listeners;
    this.#newLoader = newLoader;
    this.#verifier = verifier;
  }

  /** See `Broker.reload`. */
  async reload(settings: BrokerSettings, verifier: PasswordVerifier | undefined): Promise<void> {
    const inForce = this.#last.then(() => this.#putInForce(settings, verifier));
    // Who asked for a reload that fails is told; the next one does not care.
    this.#last = inForce.catch(() => undefined);
    const { checked } = await inForce;
    await checked;
  }

  /** @returns Resolves when those who are connected have been checked, which nobody else has to wait for. */
  async #putInForce(
    settings: BrokerSettings,
    verifier: PasswordVerifier | undefined,
  ): Promise<{ readonly checked: Promise<void> }> {
    const given = verifier ?? this.#verifier;
    const secrets = await loadSecrets(settings, this.#newLoader(given), this.#engine.realms.inForce);
    const update = await this.#listeners.prepare(settings);
    // In one turn, so that nobody comes in under the settings of one and the secrets of the other.
    this.#verifier = given;
    update();
    return { checked: this.#engine.reload(settings, secrets) };
  }
}
