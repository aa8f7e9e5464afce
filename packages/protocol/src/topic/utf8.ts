/** Longest UTF-8 Encoded String in bytes (1.5.4): its length is a two byte integer. */
export const MAXIMUM_STRING_BYTES = 65535;

/**
 * Whether `bytes[start, end)` is text that MQTT and the contract allow: well-formed UTF-8 without surrogates and
 * over-long forms [MQTT-1.5.4-1] [MQTT311-1.5.3-1], without U+0000 [MQTT-1.5.4-2] [MQTT311-1.5.3-2], and without the
 * other control characters and non-characters, which the specification lets a receiver refuse (1.5.4; cli §10). U+FEFF
 * is data [MQTT-1.5.4-3] [MQTT311-1.5.3-3]. The length is not looked at.
 */
export function isMqttUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    // Almost every topic is printable ASCII; whatever is not goes on in the slow half.
    if (byte < 0x20 || byte > 0x7e) return byte >= 0xc2 && isMqttUtf8FromLead(bytes, at, end);
  }
  return true;
}

/** The rest of the check, from the first byte beyond ASCII on. */
function isMqttUtf8FromLead(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at]!;
    if (lead < 0x7f) {
      if (lead < 0x20) return false;
      at++;
      continue;
    }
    // 0x7f is a control, 0x80 to 0xbf continue nothing, 0xc0 and 0xc1 are over-long, above 0xf4 is beyond Unicode.
    if (lead < 0xc2 || lead > 0xf4) return false;
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (end - at < length) return false;
    let codePoint = lead & (0xff >> (length + 1));
    for (let next = at + 1; next < at + length; next++) {
      const byte = bytes[next]!;
      if ((byte & 0xc0) !== 0x80) return false;
      codePoint = (codePoint << 6) | (byte & 0x3f);
    }
    if (codePoint < LEAST_OF_LENGTH[length]! || !isMqttCodePoint(codePoint)) return false;
    at += length;
  }
  return true;
}

/** Smallest code point that needs so many bytes; anything less is an over-long form. */
const LEAST_OF_LENGTH = [0, 0, 0x80, 0x800, 0x10000];

/**
 * Whether `text` can go out as a UTF-8 Encoded String: the characters that `isMqttUtf8` allows, no lone surrogate,
 * at most 65535 bytes. The empty string is valid.
 */
export function validUtf8Text(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x20 && unit <= 0x7e) continue;
    const codePoint = text.codePointAt(at)!;
    if (!isMqttCodePoint(codePoint)) return false;
    if (codePoint > 0xffff) at++;
  }
  return fitsString(text);
}

/** Whether `text` needs at most 65535 bytes in UTF-8. */
export function fitsString(text: string): boolean {
  // A UTF-16 unit needs one to three bytes: count only where that leaves a doubt.
  if (text.length * 3 <= MAXIMUM_STRING_BYTES) return true;
  if (text.length > MAXIMUM_STRING_BYTES) return false;
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // The two halves of a surrogate pair share four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes <= MAXIMUM_STRING_BYTES;
}

/** Whether a code point may stand in MQTT text: no control, surrogate, non-character; nothing beyond U+10FFFF. */
function isMqttCodePoint(codePoint: number): boolean {
  if (codePoint < 0x20 || (codePoint >= 0x7f && codePoint <= 0x9f)) return false;
  if (codePoint < 0xd800) return true;
  if (codePoint <= 0xdfff || codePoint > 0x10ffff) return false;
  if (codePoint >= 0xfdd0 && codePoint <= 0xfdef) return false;
  return (codePoint & 0xfffe) !== 0xfffe;
}
