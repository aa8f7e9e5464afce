/** Anything that {@link byteText} can put into a message. */
export type TextPart = string | number | Uint8Array;

/**
 * Template tag for messages that repeat what the user typed: arguments are bytes (P-23), so the message is, too.
 *
 *     byteText`Error: Unknown option '${argument}'.\n`
 */
export function byteText(strings: TemplateStringsArray, ...parts: readonly TextPart[]): Buffer {
  const pieces: Uint8Array[] = [];
  strings.forEach((text, index) => {
    pieces.push(Buffer.from(text));
    const part = parts[index];
    if (part !== undefined) pieces.push(typeof part === 'object' ? part : Buffer.from(String(part)));
  });
  return Buffer.concat(pieces);
}
