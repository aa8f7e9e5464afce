import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { ClientError } from '../client-error.js';
import type { FilePath } from './tls.js';

/** What TLS is to be set up with cannot be used. */
export function setupError(message: string, cause?: unknown): ClientError {
  return new ClientError('tls-setup', message, { cause });
}

/** A file of the options. @throws ClientError `tls-setup`, whose cause is the system's error. */
export function readTlsFile(what: string, file: FilePath): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    throw setupError(`cannot read the ${what} ${file}: ${systemText(error)}`, error);
  }
}

/** Files of a CA directory: those that OpenSSL would find by their hash, and those that people put there. */
const CERTIFICATE_FILE = /\.(?:pem|crt|\d+)$/;

/** Every certificate in a directory. @throws ClientError `tls-setup` */
export function readCertificateDirectory(directory: FilePath): string[] {
  let names: string[];
  try {
    // Latin-1 keeps the bytes of a name that is not UTF-8.
    names = readdirSync(directory, 'latin1').filter((name) => CERTIFICATE_FILE.test(name));
  } catch (error) {
    throw setupError(`cannot read the CA directory ${directory}: ${systemText(error)}`, error);
  }
  const certificates = new Set<string>();
  for (const name of names) {
    const file = Buffer.concat([Buffer.from(directory), Buffer.from(path.sep), Buffer.from(name, 'latin1')]);
    // A link to a CA that was removed, or a file that only root may read, says nothing about the other CAs.
    const text = tryToRead(file);
    for (const certificate of certificatesIn(text ?? '')) certificates.add(certificate);
  }
  return [...certificates];
}

/** The file's text, or undefined where it cannot be read. */
export function tryToRead(file: FilePath): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

const CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g;

/** The certificates of a PEM text, each as PEM. */
export function certificatesIn(text: string): string[] {
  return text.match(CERTIFICATE) ?? [];
}

/** The system's words for why a file cannot be read. */
export function systemText(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}
