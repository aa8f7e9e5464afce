import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import type { TlsSettings } from '../../tls-settings.js';
import { ListenerError } from '../listener-error.js';

/** Node has one list for both: the names of TLS 1.3 suites begin with `TLS_`. */
const isSuite = (name: string): boolean => name.startsWith('TLS_');
const defaults = (suites: boolean): string[] =>
  DEFAULT_CIPHERS.split(':').filter((name) => isSuite(name) === suites);

/**
 * The ciphers of a listener with a certificate, as Node wants them.
 *
 * @throws ListenerError for a name that OpenSSL does not know.
 */
export function cipherList({ ciphers, ciphersTls13 }: TlsSettings): string {
  const old = ciphers === undefined ? defaults(false) : checkedCiphers(ciphers);
  const suites = ciphersTls13 === undefined ? defaults(true) : checkedSuites(ciphersTls13);
  return [...suites, ...old].join(':');
}

/** The ciphers of a listener with pre-shared keys. @throws ListenerError */
export function pskCipherList({ ciphers }: TlsSettings): string {
  return ciphers === undefined ? 'PSK:!eNULL' : checkedCiphers(ciphers).join(':');
}

/** OpenSSL passes over what it does not know as long as anything is left; the contract does not (broker §10.4). */
function checkedCiphers(list: string): string[] {
  const words = list.split(/[:, ]+/).filter((word) => word !== '');
  for (const word of words) {
    // What is taken out need not be there, and `@` is no cipher.
    if (/^[!@-]/.test(word)) continue;
    const name = word.replace(/^\+|@.*/g, '');
    if (isSuite(name) || !exists(name)) throw unknown(`ciphers. Check cipher list "${list}"`, word);
  }
  return words;
}

function checkedSuites(list: string): string[] {
  const words = list.split(':').filter((word) => word !== '');
  for (const word of words) {
    if (!isSuite(word) || !exists(word)) {
      throw unknown(`1.3 ciphersuites. Check cipher_tls13 list "${list}"`, word);
    }
  }
  return words;
}

function exists(ciphers: string): boolean {
  try {
    createSecureContext({ ciphers });
    return true;
  } catch {
    return false;
  }
}

function unknown(list: string, word: string): ListenerError {
  return new ListenerError(`Error: Unable to set TLS ${list}. (unknown: ${word})`);
}
