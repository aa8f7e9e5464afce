/** One element of a DER encoding (X.690): tag, length, content. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly bytes: Buffer;
}

/** Tags that X.509 structures are read by. */
export const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
} as const;

/** @throws RangeError for bytes that are not DER. */
export function readDer(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const tag = byteAt(bytes, at++);
    let length = byteAt(bytes, at++);
    if (length > 0x84 || length === 0x80) throw new RangeError('length of a DER element');
    if (length > 0x80) {
      const size = length - 0x80;
      length = 0;
      for (let count = 0; count < size; count++) length = length * 256 + byteAt(bytes, at++);
    }
    if (at + length > bytes.length) throw new RangeError('end of a DER element');
    elements.push({
      tag,
      content: bytes.subarray(at, at + length),
      bytes: bytes.subarray(start, at + length),
    });
    at += length;
  }
  return elements;
}

/** The elements inside of one. @throws RangeError where it is another kind. */
export function children(element: DerElement | undefined, tag: number = Tag.SEQUENCE): DerElement[] {
  if (element?.tag !== tag) throw new RangeError('kind of a DER element');
  return readDer(element.content);
}

/** An object identifier in dots. */
export function oidText(element: DerElement | undefined): string {
  if (element?.tag !== Tag.OID) throw new RangeError('object identifier');
  const parts: bigint[] = [];
  let value = 0n;
  for (const byte of element.content) {
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      parts.push(value);
      value = 0n;
    }
  }
  const [first = 0n, ...rest] = parts;
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...rest].join('.');
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError('end of a DER element');
  return byte;
}
