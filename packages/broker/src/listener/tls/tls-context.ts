import { constants, createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';
import type { TlsSettings } from '../../tls-settings.js';
import { ListenerError } from '../listener-error.js';
import { cipherList, pskCipherList } from './cipher-list.js';
import { type RevocationList, readRevocationList } from './revocation-list.js';
import { certificatesIn, certificatesOfFolder, readPem, revocationListsIn } from './tls-files.js';

/** What a listener's files hold, ready for handshakes. */
export interface TlsContext {
  readonly secureContext: SecureContext;
  /** Authorities for client certificates. */
  readonly authorities: readonly X509Certificate[];
  /** For `disable_client_cert_date_checks`; undefined: revocation is not looked at. */
  readonly revocationLists: readonly RevocationList[] | undefined;
}

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  'tlsv1.1': 'TLSv1.1',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.3': 'TLSv1.3',
};

/** No renegotiation, no compression, the server's cipher order (broker §10.4). */
const OPTIONS =
  constants.SSL_OP_NO_RENEGOTIATION |
  constants.SSL_OP_NO_COMPRESSION |
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE;

/**
 * Who has to prove something does so at every connection: a resumed session would carry over what held when it began,
 * past a revocation or the removal of a key.
 */
const NO_RESUMPTION = constants.SSL_OP_NO_TICKET;

/**
 * Reads the files of a listener.
 *
 * @throws ListenerError in the reference's words, and why.
 */
export function tlsContext(settings: TlsSettings): TlsContext {
  const minVersion = VERSIONS[settings.tlsVersion];
  if (minVersion === undefined)
    throw new ListenerError(`Error: Unsupported tls_version "${settings.tlsVersion}".`);
  return settings.certFile === undefined
    ? pskContext(settings, minVersion)
    : certificateContext(settings, minVersion);
}

function pskContext(settings: TlsSettings, minVersion: SecureVersion): TlsContext {
  if (minVersion === 'TLSv1.3') {
    throw new ListenerError('Error: Unsupported tls_version "tlsv1.3". (TLS-PSK is TLS 1.2 here)');
  }
  const secureContext = createContext({
    minVersion,
    // Pre-shared keys of TLS 1.3 are another thing, which clients of today do not offer (broker T-44).
    maxVersion: 'TLSv1.2',
    ciphers: pskCipherList(settings),
    secureOptions: OPTIONS | NO_RESUMPTION,
  });
  return { secureContext, authorities: [], revocationLists: undefined };
}

function certificateContext(settings: TlsSettings, minVersion: SecureVersion): TlsContext {
  const { crlFile, requireCertificate } = settings;
  const authorities = authoritiesOf(settings);
  const lists = crlFile === undefined || !requireCertificate ? undefined : revocationLists(crlFile, settings);
  const secureContext = createContext({
    ...identity(settings),
    // An empty list is none: without it Node would trust the CAs that come with it.
    ca: authorities.map((certificate) => certificate.toString()),
    ...(lists === undefined ? {} : { crl: lists }),
    minVersion,
    ciphers: cipherList(settings),
    dhparam: 'auto',
    secureOptions: requireCertificate ? OPTIONS | NO_RESUMPTION : OPTIONS,
  });
  // OpenSSL looks at revocation itself, but not where its verdict is not the last word.
  const read = settings.disableClientCertDateChecks ? lists?.map(readRevocationList) : undefined;
  return { secureContext, authorities, revocationLists: read };
}

/** The listener's certificate chain and key, which belong together. */
function identity({ certFile, keyFile }: TlsSettings): { readonly cert: string; readonly key: string } {
  const certError = `Error: Unable to load server certificate "${certFile}". Check certfile.`;
  const keyError = `Error: Unable to load server key file "${keyFile}". Check keyfile.`;
  const cert = readPem(certFile ?? '', certError);
  const [certificate] = certificatesIn(cert, certError);
  const key = readPem(keyFile ?? '', keyError);
  if (certificate?.checkPrivateKey(privateKey(key, keyError)) !== true) {
    throw new ListenerError(`${keyError} (it does not belong to the certificate ${certFile})`);
  }
  return { cert, key };
}

function privateKey(pem: string, text: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const encrypted = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    throw new ListenerError(
      `${text} (${encrypted ? 'it is encrypted; a broker has nobody to ask for the passphrase' : 'it holds no private key in PEM'})`,
    );
  }
}

function authoritiesOf({ caFile, caPath }: TlsSettings): X509Certificate[] {
  const authorities: X509Certificate[] = [];
  if (caFile !== undefined) {
    const text = `Error: Unable to load CA certificates. Check cafile "${caFile}".`;
    authorities.push(...certificatesIn(readPem(caFile, text), text));
  }
  if (caPath !== undefined) authorities.push(...certificatesOfFolder(caPath));
  return authorities;
}

function revocationLists(file: string, { disableClientCertDateChecks }: TlsSettings): string[] {
  const text = `Error: Unable to load certificate revocation file "${file}". Check crlfile.`;
  const lists = revocationListsIn(readPem(file, text), text);
  for (const list of lists) {
    try {
      createSecureContext({ crl: list });
      if (disableClientCertDateChecks) readRevocationList(list);
    } catch (error) {
      throw new ListenerError(`${text} (${(error as Error).message})`);
    }
  }
  return lists;
}

function createContext(options: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new ListenerError(`Error: Unable to set up TLS. (${(error as Error).message})`);
  }
}
