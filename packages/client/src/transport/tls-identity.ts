import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { CancelSignal } from '../cancellation.js';
import type { FilePath, TlsOptions } from './tls.js';
import { readTlsFile, setupError } from './tls-files.js';

/** Our certificate, as Node wants it. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly passphrase?: string;
}

const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/;

/** Reads our certificate and key, and remembers the passphrase between connections. */
export class IdentityReader {
  readonly #options: TlsOptions;
  #passphrase: string | undefined;

  constructor(options: TlsOptions) {
    this.#options = options;
  }

  /** undefined: we have none. @throws ClientError `tls-setup` */
  async read(signal: CancelSignal): Promise<Identity | undefined> {
    const { certFile, keyFile } = this.#options;
    if (certFile === undefined || keyFile === undefined) return undefined;
    const cert = readTlsFile('certificate', certFile);
    const key = readTlsFile('key', keyFile);
    const certificate = parseCertificate(cert, certFile);
    const passphrase = ENCRYPTED.test(key) ? await this.#ask(keyFile, signal) : undefined;
    const privateKey = parseKey(key, keyFile, passphrase);
    // Node would take a key of another kind, and then have no certificate to send.
    if (!certificate.checkPrivateKey(privateKey)) {
      throw setupError(`the key ${keyFile} does not belong to the certificate ${certFile}`);
    }
    this.#passphrase = passphrase;
    return { cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
  }

  async #ask(keyFile: FilePath, signal: CancelSignal): Promise<string> {
    if (this.#passphrase !== undefined) return this.#passphrase;
    const { passphrase } = this.#options;
    if (passphrase === undefined) throw setupError(`the key ${keyFile} needs a passphrase`);
    const answer = await passphrase(keyFile, signal);
    signal.throwIfAborted();
    return answer;
  }
}

function parseCertificate(text: string, file: FilePath): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw setupError(`the certificate ${file} is not a certificate in PEM`, error);
  }
}

function parseKey(text: string, file: FilePath, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({
      key: text,
      format: 'pem',
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  } catch (error) {
    const wrong = passphrase !== undefined;
    const why = wrong ? 'cannot be decrypted with this passphrase' : 'is not a private key in PEM';
    throw setupError(`the key ${file} ${why}`, error);
  }
}
