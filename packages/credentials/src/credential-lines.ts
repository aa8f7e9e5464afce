import { binaryText, trimBlanks } from './binary-text.js';

/** A line of a file of credentials as a broker reads it. */
export interface CredentialLine {
  /** Line number, from 1. */
  readonly number: number;
  /** User name, one character for each byte. */
  readonly name: string;
  readonly secret: string;
}

/**
 * Lines of a password file as a broker reads them (broker §4.2): those that start with `#` or have no `:` are skipped,
 * name and hash are trimmed, what follows a second `:` is ignored.
 */
export function* credentialLines(content: string | Uint8Array): Generator<CredentialLine> {
  for (const [index, line] of binaryText(content).split('\n').entries()) {
    if (line.startsWith('#') || !line.includes(':')) continue;
    const [name, secret] = line.split(':').map(trimBlanks) as [string, string];
    yield { number: index + 1, name, secret };
  }
}
