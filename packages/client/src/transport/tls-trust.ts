import { rootCertificates } from 'node:tls';
import type { TlsOptions } from './tls.js';
import { certificatesIn, readCertificateDirectory, readTlsFile, setupError, tryToRead } from './tls-files.js';

/** Where systems keep all CAs in one file; the first that is there is the OS store. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Alpine, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // SUSE
  '/etc/ssl/cert.pem', // macOS, the BSDs
];

/** The CAs to trust, each as PEM (cli §3.5). @throws ClientError `tls-setup` */
export function trustedCertificates(options: TlsOptions): string[] {
  const { caFile, caDirectory, insecure = false } = options;
  const { osStore = caFile === undefined && caDirectory === undefined } = options;
  const trusted: string[] = [];
  if (caFile !== undefined) {
    const certificates = certificatesIn(readTlsFile('CA file', caFile));
    if (certificates.length === 0) throw setupError(`the CA file ${caFile} holds no certificate`);
    trusted.push(...certificates);
  }
  if (caDirectory !== undefined) {
    const certificates = readCertificateDirectory(caDirectory);
    if (certificates.length === 0 && caFile === undefined && !osStore) {
      throw setupError(`the CA directory ${caDirectory} holds no certificate`);
    }
    trusted.push(...certificates);
  }
  if (osStore && !insecure) trusted.push(...osCertificates(options.env ?? process.env));
  return trusted;
}

/**
 * What OpenSSL trusts by default: `SSL_CERT_FILE` adds a file, `SSL_CERT_DIR` (directories, separated as in `PATH`)
 * takes the place of the system's own. Where the system has none, it is the list that came with Node.
 */
function osCertificates(env: Readonly<Record<string, string | undefined>>): string[] {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directories } = env;
  const own = file ? certificatesIn(readTlsFile('CA file of SSL_CERT_FILE', file)) : [];
  if (directories) {
    const delimiter = process.platform === 'win32' ? ';' : ':';
    return [...own, ...directories.split(delimiter).filter(Boolean).flatMap(readCertificateDirectory)];
  }
  for (const bundle of SYSTEM_BUNDLES) {
    const certificates = certificatesIn(tryToRead(bundle) ?? '');
    if (certificates.length > 0) return [...own, ...certificates];
  }
  return [...own, ...rootCertificates];
}
