import { type KeyObject, verify } from 'node:crypto';

/**
 * Signature algorithms that count, with their hashes. Older hashes can be forged; the parameters of RSASSA-PSS are not
 * read here.
 */
// biome-ignore format: one row a line
const HASHES: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
  '1.3.101.113': null,
};

/** Shortest RSA key, in bits, as OpenSSL's default security level has it. */
const SHORTEST_RSA = 1024;

export function isStrongAlgorithm(oid: string): boolean {
  return oid in HASHES;
}

export function isStrongKey(key: KeyObject): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits === undefined || bits >= SHORTEST_RSA;
}

/** Whether a signature is right, and by an algorithm that counts. */
export function isSignedBy(key: KeyObject, oid: string, data: Buffer, signature: Buffer): boolean {
  const hash = HASHES[oid];
  if (hash === undefined) return false;
  try {
    return verify(hash, data, key, signature);
  } catch {
    // A key of another kind than the algorithm's.
    return false;
  }
}
