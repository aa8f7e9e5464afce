import type { X509Certificate } from 'node:crypto';
import { type CertificateFields, certificateFields, Extension } from './certificate-fields.js';
import { children, readDer, Tag } from './der.js';
import { type RevocationList, revocationFailure } from './revocation-list.js';
import { isStrongAlgorithm, isStrongKey } from './signature.js';

/** What a client's certificate has to lead to. */
export interface Trust {
  readonly authorities: readonly X509Certificate[];
  /** Undefined: revocation is not looked at. */
  readonly revocationLists: readonly RevocationList[] | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Most certificates between a client's and its authority. */
const LONGEST_CHAIN = 8;
const CLIENT_AUTHENTICATION = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
/** Extensions that OpenSSL or this file acts on: any other that is critical forbids the certificate. */
const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  Extension.KEY_USAGE,
  Extension.BASIC_CONSTRAINTS,
  '2.5.29.14', // Subject Key Identifier
  '2.5.29.17', // Subject Alternative Name
  '2.5.29.35', // Authority Key Identifier
  '2.5.29.37', // Extended Key Usage
]);

/**
 * Why a certificate that is out of its time is not to be trusted for anything else either; undefined: it is only late or
 * early (broker B-11). OpenSSL's one error for an expired certificate says nothing about who signed it, so the chain is
 * walked here. What cannot be checked here is refused.
 *
 * @param presented what the client sent along, in any order.
 */
export function datelessFailure(
  leaf: X509Certificate,
  presented: readonly X509Certificate[],
  trust: Trust,
): string | undefined {
  try {
    const chain = chainOf(leaf, presented, trust);
    if (chain === undefined) return 'unable to get a trusted issuer certificate';
    return leafFailure(leaf) ?? issuersFailure(chain, trust) ?? revocationsFailure(chain, trust);
  } catch (error) {
    if (error instanceof RangeError) return `malformed ${error.message}`;
    throw error;
  }
}

/** From the client's certificate up to a configured authority that signed itself. */
function chainOf(
  leaf: X509Certificate,
  presented: readonly X509Certificate[],
  { authorities }: Trust,
): X509Certificate[] | undefined {
  const chain = [leaf];
  // Each is tried once, so that a client cannot have many paths looked at.
  const left = new Set([...authorities, ...presented]);
  let current = leaf;
  while (chain.length <= LONGEST_CHAIN) {
    if (isRoot(current) && isAmong(current, authorities)) return chain;
    const issuer = [...left].find((one) => issued(current, one));
    if (issuer === undefined) return undefined;
    left.delete(issuer);
    chain.push(issuer);
    current = issuer;
  }
  return undefined;
}

function isRoot(certificate: X509Certificate): boolean {
  return issued(certificate, certificate);
}

function isAmong(certificate: X509Certificate, others: readonly X509Certificate[]): boolean {
  return others.some((one) => one.raw.equals(certificate.raw));
}

function issued(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (!certificate.checkIssued(issuer) || !isStrongKey(issuer.publicKey)) return false;
  return (
    isStrongAlgorithm(certificateFields(certificate).signatureAlgorithm) &&
    certificate.verify(issuer.publicKey)
  );
}

function leafFailure(leaf: X509Certificate): string | undefined {
  const fields = certificateFields(leaf);
  const usage = fields.extensions.get(Extension.KEY_USAGE);
  // digitalSignature or keyAgreement (RFC 5280, 4.2.1.3).
  const bits = usage === undefined ? 0xff : (readDer(usage.value)[0]?.content[1] ?? 0);
  if ((bits & 0x88) === 0 || !isForClients(leaf)) return 'unsuitable certificate purpose';
  return criticalFailure(fields);
}

function issuersFailure(chain: readonly X509Certificate[], { now }: Trust): string | undefined {
  for (const [index, issuer] of chain.entries()) {
    if (index === 0) continue;
    const fields = certificateFields(issuer);
    if (!issuer.ca || index - 1 > pathLength(fields)) return 'invalid CA certificate';
    if (!isForClients(issuer)) return 'unsuitable certificate purpose';
    // Only the client's own dates do not matter.
    if (now < Date.parse(issuer.validFrom) || now > Date.parse(issuer.validTo))
      return 'CA certificate out of its time';
    if (fields.extensions.has(Extension.NAME_CONSTRAINTS)) return 'name constraints';
    const failure = criticalFailure(fields);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function revocationsFailure(chain: readonly X509Certificate[], trust: Trust): string | undefined {
  const { revocationLists, now } = trust;
  if (revocationLists === undefined) return undefined;
  for (const [index, certificate] of chain.entries()) {
    const failure = revocationFailure(certificate, chain[index + 1] ?? certificate, revocationLists, now);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function isForClients({ keyUsage }: X509Certificate): boolean {
  // Node calls the extended key usage so. None: it is for everything.
  const purposes = keyUsage as readonly string[] | undefined;
  return purposes === undefined || purposes.some((purpose) => CLIENT_AUTHENTICATION.includes(purpose));
}

function criticalFailure({ extensions }: CertificateFields): string | undefined {
  const unknown = [...extensions].some(([id, { critical }]) => critical && !KNOWN_EXTENSIONS.has(id));
  return unknown ? 'unhandled critical extension' : undefined;
}

/** How many certificates may stand between the authority and a client's. */
function pathLength({ extensions }: CertificateFields): number {
  const constraints = extensions.get(Extension.BASIC_CONSTRAINTS);
  if (constraints === undefined) return 0;
  const limit = children(readDer(constraints.value)[0]).find(({ tag }) => tag === Tag.INTEGER);
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  return limit.content.length > 1 ? Number.POSITIVE_INFINITY : (limit.content[0] ?? 0);
}
