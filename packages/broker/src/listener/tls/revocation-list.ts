import type { X509Certificate } from 'node:crypto';
import { certificateFields, extensionsOf, readExtensions } from './certificate-fields.js';
import { children, type DerElement, oidText, readDer, Tag } from './der.js';
import { isSignedBy } from './signature.js';

/** A revocation list (RFC 5280, 5.1). */
export interface RevocationList {
  /** The DER of the name. */
  readonly issuer: Buffer;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** Infinity: it does not say. */
  readonly until: number;
  /** Serial numbers in hexadecimal. */
  readonly revoked: ReadonlySet<string>;
  /** It says nothing that this does not understand. */
  readonly understood: boolean;
  readonly isBy: (issuer: X509Certificate) => boolean;
}

/** @throws RangeError for what is none. */
export function readRevocationList(pem: string): RevocationList {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  const [tbs, algorithm, signature] = children(readDer(der)[0]);
  const all = children(tbs);
  const fields = all[0]?.tag === Tag.INTEGER ? all.slice(1) : all;
  const [inner, issuer, from, ...rest] = fields;
  if (tbs === undefined || issuer === undefined || signature?.tag !== Tag.BIT_STRING) {
    throw new RangeError('fields of a revocation list');
  }
  // Only the inner algorithm is signed; the first byte of the signature says how many bits of its last are not used.
  if (inner?.bytes.equals(algorithm?.bytes ?? Buffer.alloc(0)) !== true || signature.content[0] !== 0) {
    throw new RangeError('signature of a revocation list');
  }
  const until = isTime(rest[0]) ? rest[0] : undefined;
  const entries = rest.find(({ tag }) => tag === Tag.SEQUENCE);
  const revoked = entries === undefined ? [] : children(entries).map((entry) => children(entry));
  const extensions = [
    extensionsOf(rest.find(({ tag }) => tag === 0xa0)),
    ...revoked.map(([, , own]) => readExtensions(own === undefined ? [] : children(own))),
  ];
  const oid = oidText(children(algorithm)[0]);
  return {
    issuer: issuer.bytes,
    from: readTime(from),
    until: until === undefined ? Number.POSITIVE_INFINITY : readTime(until),
    revoked: new Set(revoked.map(([serial]) => serialText(serial?.content ?? Buffer.alloc(0)))),
    // Such as a list of some certificates only, or of several issuers.
    understood: extensions.every((one) => [...one.values()].every(({ critical }) => !critical)),
    isBy: (certificate) => isSignedBy(certificate.publicKey, oid, tbs.bytes, signature.content.subarray(1)),
  };
}

/** Why a certificate does not pass the lists; undefined: it does. As OpenSSL, it wants a list of every issuer. */
export function revocationFailure(
  certificate: X509Certificate,
  issuer: X509Certificate,
  lists: readonly RevocationList[],
  now: number,
): string | undefined {
  const { subject } = certificateFields(issuer);
  const own = lists.filter((list) => list.issuer.equals(subject) && list.isBy(issuer));
  const valid = own.filter(({ understood, from, until }) => understood && from <= now && now < until);
  if (valid.length === 0) return own.length === 0 ? 'unable to get certificate CRL' : 'CRL is not valid';
  const serial = serialText(certificateFields(certificate).serial);
  return valid.some(({ revoked }) => revoked.has(serial)) ? 'certificate revoked' : undefined;
}

function serialText(serial: Buffer): string {
  return serial.toString('hex');
}

function isTime(element: DerElement | undefined): element is DerElement {
  return element?.tag === Tag.UTC_TIME || element?.tag === Tag.GENERALIZED_TIME;
}

function readTime(element: DerElement | undefined): number {
  if (!isTime(element)) throw new RangeError('time');
  const text = element.content.toString('latin1');
  const full =
    element.tag === Tag.GENERALIZED_TIME ? text : `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`;
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? [];
  if (parts.length === 0) throw new RangeError('time');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
