import { byteText, type TextPart } from '../program/byte-text.js';

/** What follows an argument error on the terminal: a pointer to `--help`, the whole usage on stdout, or nothing. */
export type AfterError = 'hint' | 'usage' | 'nothing';

/** The command line is wrong. Printed even with `--quiet`, exit 1 (cli §4, §5). */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  /** Exactly what goes to stderr, line ends included. */
  readonly text: Uint8Array;
  readonly after: AfterError;

  constructor(text: Uint8Array, after: AfterError = 'hint') {
    super(Buffer.from(text).toString().trim());
    this.text = text;
    this.after = after;
  }
}

/** An {@link ArgumentError} from a template: ``throw argumentError`Error: Invalid port given: ${value}\n` ``. */
export function argumentError(strings: TemplateStringsArray, ...parts: readonly TextPart[]): ArgumentError {
  return new ArgumentError(byteText(strings, ...parts));
}
