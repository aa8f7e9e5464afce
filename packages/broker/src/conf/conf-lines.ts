/** One option as it stands in a file: text of one character for each byte, not looked at yet. */
export interface ConfLine {
  /** From 1. */
  readonly number: number;
  readonly name: string;
  /** What follows the name, without the spaces around it. */
  readonly rest: string;
}

/**
 * Splits a file into its options (contract broker §2.1): `#` in column 0 makes a comment, only spaces separate, CRLF is
 * fine, lines may be of any length.
 */
export function* confLines(content: Uint8Array): Generator<ConfLine> {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    if (raw.startsWith('#')) continue;
    const line = trimSpaces(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
    if (line === '') continue;
    const space = line.indexOf(' ');
    if (space === -1) yield { number, name: line, rest: '' };
    else yield { number, name: line.slice(0, space), rest: trimSpaces(line.slice(space)) };
  }
}

// Not trim(): a tab is part of the name or value (T-3). Not a regular expression: its backtracking is quadratic.
function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}
