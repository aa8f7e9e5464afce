import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ListenerError } from '../listener-error.js';

/** A file that a listener needs. @param text the reference's words, which go before the reason. */
export function readPem(file: string, text: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    throw new ListenerError(`${text} (${(error as Error).message})`);
  }
}

const CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g;
const REVOCATION_LIST = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/** The certificates of a PEM text. @throws ListenerError with `text` where one is broken or there is none. */
export function certificatesIn(pem: string, text: string): X509Certificate[] {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new ListenerError(`${text} (it holds no certificate in PEM)`);
  return found.map((one) => {
    try {
      return new X509Certificate(one);
    } catch (error) {
      throw new ListenerError(`${text} (${(error as Error).message})`);
    }
  });
}

/** The revocation lists of a PEM text, each as PEM. @throws ListenerError with `text` where there is none. */
export function revocationListsIn(pem: string, text: string): string[] {
  const found = pem.match(REVOCATION_LIST);
  if (found === null) throw new ListenerError(`${text} (it holds no revocation list in PEM)`);
  return found;
}

/** Files of a CA directory: those that OpenSSL would find by their hash, and those that people put there. */
const CERTIFICATE_FILE = /\.(?:pem|crt|\d+)$/;

/** Every certificate in a directory. @throws ListenerError where the directory cannot be read. */
export function certificatesOfFolder(folder: string): X509Certificate[] {
  const text = `Error: Unable to load CA certificates. Check capath "${folder}".`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new ListenerError(`${text} (${(error as Error).message})`);
  }
  const byFingerprint = new Map<string, X509Certificate>();
  for (const name of names.filter((one) => CERTIFICATE_FILE.test(one)).sort()) {
    for (const certificate of certificatesOrNone(path.join(folder, name))) {
      byFingerprint.set(certificate.fingerprint256, certificate);
    }
  }
  return [...byFingerprint.values()];
}

/** A key, a link to a CA that was removed, a file that only root may read: they say nothing about the other CAs. */
function certificatesOrNone(file: string): X509Certificate[] {
  try {
    return certificatesIn(readPem(file, ''), '');
  } catch {
    return [];
  }
}
