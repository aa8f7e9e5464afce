/**
 * A password file as a list of lines that keeps every byte it is not asked to change: comments, blank lines, CRLF, a
 * missing last line feed, hashes of unknown kinds.
 */
import { binaryText, trimBlanks } from './binary-text.js';

/** What a line of a password file is. */
export type LineKind = 'entry' | 'comment' | 'blank' | 'corrupt';

/** A `name:hash` line. */
export interface PasswordEntry {
  /** Line number, from 1. */
  readonly line: number;
  /** User name without surrounding blanks. */
  readonly name: Buffer;
  /** Hash or password: up to a second `:`, without surrounding blanks. */
  readonly secret: string;
  /** Everything after the first `:`, without surrounding blanks: what `-U` takes for the password (cli §18.6). */
  readonly rest: Buffer;
}

interface Line {
  readonly kind: LineKind;
  /** The line without its line feed, one character for each byte, as in all of these. */
  readonly text: string;
  /** `\n`, or nothing at the end of a file without one. */
  readonly end: string;
  readonly name?: string;
  readonly rest?: string;
}

/** A password file in memory. Names are given as bytes, or as text that stands for its UTF-8 bytes. */
export class PasswordFile {
  private lines: Line[];
  /** Index of the first line of each user. */
  private firstLines = new Map<string, number>();

  private constructor(lines: Line[]) {
    this.lines = lines;
    this.index();
  }

  /** Splits a file into lines. Never throws: lines that are not understood are kept, see `corruptLine`. */
  static parse(content: Uint8Array): PasswordFile {
    const text = binaryText(content);
    const lines: Line[] = [];
    for (let start = 0; start < text.length; ) {
      const feed = text.indexOf('\n', start);
      const stop = feed === -1 ? text.length : feed;
      lines.push(parseLine(text.slice(start, stop), feed === -1 ? '' : '\n'));
      start = stop + 1;
    }
    return new PasswordFile(lines);
  }

  /**
   * Number, from 1, of the first line that is no entry, comment or blank line: without `:`, with an empty name or
   * password, or with a NUL. `undefined` where there is none.
   */
  get corruptLine(): number | undefined {
    const index = this.lines.findIndex((line) => line.kind === 'corrupt');
    return index === -1 ? undefined : index + 1;
  }

  /** Whether the file has no line at all. */
  get isEmpty(): boolean {
    return this.lines.length === 0;
  }

  /** The entries, in the order of the file, duplicates included. */
  *entries(): Generator<PasswordEntry> {
    for (const [index, line] of this.lines.entries()) {
      if (line.kind === 'entry') yield entryOf(line, index);
    }
  }

  /** The first entry of a user. */
  find(name: string | Uint8Array): PasswordEntry | undefined {
    const index = this.firstLines.get(binaryText(name));
    return index === undefined ? undefined : entryOf(this.lines[index]!, index);
  }

  /**
   * Gives a user a hash: replaces the first line of that user (later ones are kept, cli §18.6) or appends a line, after
   * ending the last one if it was not.
   */
  set(name: string | Uint8Array, hash: string): 'added' | 'updated' {
    const key = binaryText(name);
    const index = this.firstLines.get(key);
    if (index !== undefined) {
      this.replace(index, hash);
      return 'updated';
    }
    this.endLastLine();
    this.firstLines.set(key, this.lines.length);
    this.lines.push({ kind: 'entry', name: key, rest: hash, text: `${key}:${hash}`, end: '\n' });
    return 'added';
  }

  /** Replaces the hash of one line, which must be an entry (`PasswordEntry.line`). */
  setLine(line: number, hash: string): void {
    if (this.lines[line - 1]?.kind !== 'entry') throw new RangeError(`line ${line} is not an entry`);
    this.replace(line - 1, hash);
  }

  /** Removes all lines of a user. Returns how many there were. */
  remove(name: string | Uint8Array): number {
    const key = binaryText(name);
    if (!this.firstLines.has(key)) return 0;
    const before = this.lines.length;
    this.lines = this.lines.filter((line) => line.name !== key);
    this.index();
    return before - this.lines.length;
  }

  /** The file's bytes. */
  toBytes(): Buffer {
    return Buffer.from(this.lines.map((line) => line.text + line.end).join(''), 'latin1');
  }

  private replace(index: number, hash: string): void {
    const { name, text } = this.lines[index]!;
    const carriageReturn = text.endsWith('\r') ? '\r' : '';
    this.lines[index] = {
      kind: 'entry',
      name: name!,
      rest: hash,
      text: `${name}:${hash}${carriageReturn}`,
      end: '\n',
    };
  }

  private endLastLine(): void {
    const last = this.lines.at(-1);
    if (last !== undefined) this.lines[this.lines.length - 1] = { ...last, end: '\n' };
  }

  private index(): void {
    this.firstLines = new Map();
    for (const [index, { name }] of this.lines.entries()) {
      if (name !== undefined && !this.firstLines.has(name)) this.firstLines.set(name, index);
    }
  }
}

function parseLine(text: string, end: string): Line {
  const trimmed = trimBlanks(text);
  if (trimmed === '') return { kind: 'blank', text, end };
  // An indented `# a:b` is an entry to the broker, which looks at the first column only.
  if (text.startsWith('#') || (trimmed.startsWith('#') && !trimmed.includes(':'))) {
    return { kind: 'comment', text, end };
  }
  // Leading colons are skipped, as the reference does (cli §18.6).
  const fields = text.replace(/^:+/, '');
  const colon = fields.indexOf(':');
  if (colon === -1 || text.includes('\0')) return { kind: 'corrupt', text, end };
  const name = trimBlanks(fields.slice(0, colon));
  const rest = trimBlanks(fields.slice(colon + 1));
  if (name === '' || trimBlanks(firstField(rest)) === '') return { kind: 'corrupt', text, end };
  return { kind: 'entry', name, rest, text, end };
}

function entryOf(line: Line, index: number): PasswordEntry {
  const rest = line.rest!;
  return {
    line: index + 1,
    name: Buffer.from(line.name!, 'latin1'),
    secret: trimBlanks(firstField(rest)),
    rest: Buffer.from(rest, 'latin1'),
  };
}

function firstField(rest: string): string {
  const colon = rest.indexOf(':');
  return colon === -1 ? rest : rest.slice(0, colon);
}
