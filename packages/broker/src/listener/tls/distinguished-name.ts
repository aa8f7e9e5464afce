import { children, type DerElement, oidText } from './der.js';

/** Short names of attribute types as OpenSSL writes them. */
// biome-ignore format: one row a line
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.13': 'description',
  '2.5.4.15': 'businessCategory',
  '2.5.4.17': 'postalCode',
  '2.5.4.41': 'name',
  '2.5.4.42': 'GN',
  '2.5.4.43': 'initials',
  '2.5.4.44': 'generationQualifier',
  '2.5.4.45': 'x500UniqueIdentifier',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** Kinds of strings that are text: how many bytes a character has. */
const WIDTHS: Readonly<Record<number, 1 | 2 | 4>> = {
  12: 1,
  18: 1,
  19: 1,
  20: 1,
  22: 1,
  26: 1,
  28: 4,
  30: 2,
};
const UTF8_STRING = 12;

/** A name as in RFC 2253, the most specific part first, in OpenSSL's spelling (broker §4.5). */
export function distinguishedName(relatives: readonly DerElement[]): string {
  return [...relatives]
    .reverse()
    .map((relative) => children(relative, 0x31).reverse().map(attribute).join('+'))
    .join(',');
}

function attribute(element: DerElement): string {
  const [type, value] = children(element);
  if (value === undefined) throw new RangeError('attribute of a name');
  const oid = oidText(type);
  const name = SHORT_NAMES[oid];
  const text = name === undefined ? undefined : utf8Of(value);
  // Of what it does not know OpenSSL shows the bytes.
  return `${name ?? oid}=${text === undefined ? `#${value.bytes.toString('hex').toUpperCase()}` : escaped(text)}`;
}

/** The characters in UTF-8, each byte as one character; undefined for what is no text. */
function utf8Of({ tag, content }: DerElement): string | undefined {
  const width = WIDTHS[tag];
  if (width === undefined) return undefined;
  if (tag === UTF8_STRING) return content.toString('latin1');
  let text = '';
  for (let at = 0; at + width <= content.length; at += width) {
    const code = content.readUIntBE(at, width);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return Buffer.from(text).toString('latin1');
}

function escaped(text: string): string {
  return text
    .replace(/[,+"\\<>;]|[\u0000-\u001f\u007f-\u00ff]/g, (character) =>
      character >= ' ' && character <= '~' ? `\\${character}` : `\\${hex(character)}`,
    )
    .replace(/^[ #]|(?<=.) $/g, '\\$&');
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}
