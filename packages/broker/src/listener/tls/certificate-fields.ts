import type { X509Certificate } from 'node:crypto';
import { children, type DerElement, oidText, readDer, Tag } from './der.js';

/** Object identifiers of extensions (RFC 5280, 4.2.1). */
export const Extension = {
  KEY_USAGE: '2.5.29.15',
  BASIC_CONSTRAINTS: '2.5.29.19',
  NAME_CONSTRAINTS: '2.5.29.30',
} as const;

export interface ExtensionField {
  readonly critical: boolean;
  /** DER inside of the octet string. */
  readonly value: Buffer;
}

/** What Node does not tell of a certificate. */
export interface CertificateFields {
  /** Content of the INTEGER. */
  readonly serial: Buffer;
  /** The DER of the name. */
  readonly subject: Buffer;
  readonly signatureAlgorithm: string;
  readonly extensions: ReadonlyMap<string, ExtensionField>;
}

/** @throws RangeError where it is not as RFC 5280, 4.1 has it. */
export function certificateFields(certificate: X509Certificate): CertificateFields {
  const [tbs, algorithm] = children(readDer(certificate.raw)[0]);
  const all = children(tbs);
  // [0] is the version, which is left out of version 1.
  const fields = all[0]?.tag === 0xa0 ? all.slice(1) : all;
  const [serial, , , , subject] = fields;
  if (serial?.tag !== Tag.INTEGER || subject === undefined) throw new RangeError('fields of a certificate');
  return {
    serial: serial.content,
    subject: subject.bytes,
    signatureAlgorithm: oidText(children(algorithm)[0]),
    extensions: extensionsOf(fields.find(({ tag }) => tag === 0xa3)),
  };
}

/** Extensions behind their tag, `[3]` in certificates and `[0]` in revocation lists; undefined: there are none. */
export function extensionsOf(tagged: DerElement | undefined): ReadonlyMap<string, ExtensionField> {
  if (tagged === undefined) return new Map();
  return readExtensions(children(readDer(tagged.content)[0]));
}

export function readExtensions(elements: readonly DerElement[]): ReadonlyMap<string, ExtensionField> {
  return new Map(
    elements.map((element) => {
      const [id, ...rest] = children(element);
      const value = rest.at(-1);
      if (value?.tag !== Tag.OCTET_STRING) throw new RangeError('value of an extension');
      const critical = rest[0]?.tag === Tag.BOOLEAN && rest[0].content[0] !== 0;
      return [oidText(id), { critical, value: value.content }];
    }),
  );
}
