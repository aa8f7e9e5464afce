import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerIdentity } from '../../connection/peer.js';
import { certificateFields } from './certificate-fields.js';
import { children, type DerElement, oidText, readDer } from './der.js';
import { distinguishedName } from './distinguished-name.js';

const COMMON_NAME = '2.5.4.3';

/** Who the client's certificate says that it is (broker §4.5). */
export function certificateIdentity(secured: TLSSocket): PeerIdentity | undefined {
  const certificate = secured.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  try {
    return identityOf(certificate);
  } catch (error) {
    // OpenSSL takes more for a certificate than this reads: then it is nobody's.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The first Common Name, and the subject. */
export function identityOf(certificate: X509Certificate): PeerIdentity {
  const subject = subjectOf(certificate);
  const attributes = subject.flatMap((relative) => children(relative, 0x31)).map((one) => children(one));
  const commonName = attributes.find(([type]) => oidText(type) === COMMON_NAME)?.[1];
  return {
    commonName: commonName === undefined ? undefined : usernameOf(commonName),
    subject: subject.length === 0 ? undefined : distinguishedName(subject),
  };
}

/** Its RelativeDistinguishedNames. */
function subjectOf(certificate: X509Certificate): DerElement[] {
  return children(readDer(certificateFields(certificate).subject)[0]);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined where it cannot be a username: a control character such as NUL, or bytes that are not UTF-8 (T-47). */
function usernameOf({ content }: DerElement): string | undefined {
  try {
    const text = UTF8.decode(content);
    return text === '' || /[\u0000-\u001f\u007f-\u009f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
