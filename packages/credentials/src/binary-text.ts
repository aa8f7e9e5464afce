/**
 * Text with one character for each byte: password files are bytes, and string functions are handy. A name that is not
 * valid UTF-8 stays what it is this way.
 */

// The blanks of the C library's isspace(), and nothing of what String.trim() takes for one.
const LEADING_BLANKS = /^[ \t\v\f\r\n]+/;
const TRAILING_BLANKS = /[ \t\v\f\r\n]+$/;

/** Bytes, or the UTF-8 of a text, as one character each. */
export function binaryText(content: string | Uint8Array): string {
  if (typeof content === 'string') return Buffer.from(content, 'utf8').toString('latin1');
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
}

/** Without the blanks at both ends. */
export function trimBlanks(text: string): string {
  return text.replace(LEADING_BLANKS, '').replace(TRAILING_BLANKS, '');
}
