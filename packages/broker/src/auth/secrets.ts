import { PasswordFileError, PasswordVerifier, ScramFile, ScramFileError } from '@tsmqtt/credentials';
import type { Log } from '../log/log.js';
import type { SecuritySettings } from '../settings.js';
import { parseAcl } from './acl-parser.js';
import { parsePreSharedKeys } from './psk-file.js';
import { ScramSha256 } from './scram-sha-256.js';
import { readSecretFile, SecretFileError, type SecretFileRules } from './secret-file.js';

/** Keys of security settings that name a file. */
type FileSetting = 'passwordFile' | 'scramFile' | 'aclFile' | 'pskFile';

/** A kind of file that security settings name. */
interface SecretKind<Content> {
  readonly setting: FileSetting;
  /** What errors call the file. */
  readonly noun: string;
  /** A line behind every error of the file, before its path. */
  readonly failure?: string;
  /**
   * @param before What the same listener went by before a reload.
   * @throws SecretFileError 3 for what the file holds.
   */
  readonly parse: (content: Uint8Array, path: string, log: Log, before: unknown) => Content;
}

/** Every kind of file, by the name of what it gives. */
const KINDS = {
  /** Who may come in with a password. */
  verifier: { setting: 'passwordFile', noun: 'pwfile', parse: parsePasswords },
  /** Who may come in by SCRAM. */
  scram: { setting: 'scramFile', noun: 'scram file', parse: parseScram },
  /** What clients may do with topics. */
  acl: { setting: 'aclFile', noun: 'acl_file', failure: 'Error opening acl file', parse: parseAcl },
  /** Keys of TLS-PSK by identity. */
  preSharedKeys: {
    setting: 'pskFile',
    noun: 'psk file',
    failure: 'Error opening psk file',
    parse: parsePreSharedKeys,
  },
} as const satisfies Readonly<Record<string, SecretKind<unknown>>>;

type Kind = keyof typeof KINDS;

/** What the files of one set of security settings hold; undefined: there is no such file. */
export type Secrets = { readonly [K in Kind]: ReturnType<(typeof KINDS)[K]['parse']> | undefined };

/** No files at all. */
export const NO_SECRETS: Secrets = {
  verifier: undefined,
  scram: undefined,
  acl: undefined,
  preSharedKeys: undefined,
};

/** Loads files of secrets, each once however many listeners name it. One for each start or reload. */
export class SecretLoader {
  readonly #rules: SecretFileRules;
  readonly #log: Log;
  readonly #given: Partial<Secrets>;
  readonly #loaded = new Map<string, Promise<unknown>>();

  /** @param given What a host program gives; it stands in for the files of its kind. */
  constructor(rules: SecretFileRules, log: Log, given: Partial<Secrets> = {}) {
    this.#rules = rules;
    this.#log = log;
    this.#given = given;
  }

  /**
   * What all files of these settings hold.
   *
   * @param old what was in force before a reload: it stays in force, kind by kind, where a file cannot be read or holds
   * something wrong, which is logged (B-1).
   * @throws SecretFileError at a start, where there is no `old`.
   */
  async load(security: SecuritySettings, old: Secrets | undefined): Promise<Secrets> {
    const secrets: Record<string, unknown> = {};
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const path = security[KINDS[kind].setting];
      try {
        secrets[kind] =
          this.#given[kind] ??
          (path === undefined ? undefined : await this.#loadOnce(kind, path, old?.[kind]));
      } catch (error) {
        if (old === undefined || !(error instanceof SecretFileError)) throw error;
        for (const line of error.lines) this.#log.error(line);
        secrets[kind] = old[kind];
      }
    }
    return secrets as Secrets;
  }

  #loadOnce(kind: Kind, path: string, before: unknown): Promise<unknown> {
    const key = `${kind} ${path}`;
    let loading = this.#loaded.get(key);
    if (loading === undefined) {
      loading = this.#loadKind(KINDS[kind], path, before);
      this.#loaded.set(key, loading);
    }
    return loading;
  }

  async #loadKind(
    { noun, failure, parse }: SecretKind<unknown>,
    path: string,
    before: unknown,
  ): Promise<unknown> {
    try {
      const content = await readSecretFile(path, noun, this.#rules, this.#log);
      return parse(content, path, this.#log, before);
    } catch (error) {
      if (failure === undefined || !(error instanceof SecretFileError)) throw error;
      throw new SecretFileError(error.exitCode, [error.message, `${failure} "${path}".`]);
    }
  }
}

function parsePasswords(content: Uint8Array, path: string, log: Log): PasswordVerifier {
  try {
    return PasswordVerifier.fromText(content, path, {
      onError: (error, username) => {
        log.error(`Error: Unable to check the password of user '${username}': ${(error as Error).message}.`);
      },
    });
  } catch (error) {
    if (error instanceof PasswordFileError) throw new SecretFileError(3, [error.message]);
    throw error;
  }
}

function parseScram(content: Uint8Array, path: string, _log: Log, before: unknown): ScramSha256 {
  try {
    return new ScramSha256(
      ScramFile.fromText(content, path, before instanceof ScramSha256 ? before.file : undefined),
    );
  } catch (error) {
    if (error instanceof ScramFileError) throw new SecretFileError(3, [error.message]);
    throw error;
  }
}
