import { lazily } from '@tsmqtt/protocol';
import { argumentError } from '../options/argument-error.js';
import { type Conversion, conversionTable } from './conversion-table.js';
import { type PrintTime, strftimeTable } from './strftime.js';

/** What stands between `%` and the letter of a conversion. */
export interface Field {
  /** `-`: to the left, filled with spaces on the right. */
  readonly left: boolean;
  /** `0`: filled with zeros. */
  readonly zero: boolean;
  /** 0: none. */
  readonly width: number;
  readonly precision: number | undefined;
  /** Stands between the groups of hexadecimal digits. */
  readonly separator: number;
}

export type FormatPart =
  | { readonly kind: 'literal'; readonly bytes: Buffer }
  | { readonly kind: 'time'; readonly print: PrintTime }
  | { readonly kind: 'conversion'; readonly conversion: Conversion; readonly field: Field };

/** A format that is known to be valid, as the list of what it prints. */
export type CompiledFormat = readonly FormatPart[];

const PERCENT = 0x25;
const AT = 0x40;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
const SPACE = 0x20;
/** Width and precision are C `int`s. */
const MAXIMUM_INT = 0x7fffffff;

/** What may stand before the letter: the punctuation of ASCII but `%`, and space. */
const separators = lazily(
  (): ReadonlySet<number> => new Set(Buffer.from('!"#$&\'()*+,-./:;<=>?@[\\]^_`{|}~ ')),
);

/** What follows a backslash (cli §14.2). */
const escapes = lazily(
  (): ReadonlyMap<number, number> =>
    new Map(
      Object.entries({ '\\': 0x5c, '0': 0, a: 7, e: 0x1b, n: 10, r: 13, t: 9, v: 11 }).map(
        ([letter, byte]) => [letter.charCodeAt(0), byte],
      ),
    ),
);

const conversions = lazily(
  (): ReadonlyMap<number, Conversion> =>
    new Map(conversionTable().map((conversion) => [conversion.letter.charCodeAt(0), conversion])),
);

/**
 * Reads the value of `-F` (cli §14.2), bytes as they were typed. Throws ArgumentError where it is not a format.
 *
 *     format := ( literal | '%' spec | '@' byte | '\' escape )*
 *     spec   := ['-'] ['0'] [width] ['.' [precision]] [separator] letter
 */
export function compileFormat(format: Buffer): CompiledFormat {
  return new FormatCompiler(format).compile();
}

class FormatCompiler {
  readonly #format: Buffer;
  #at = 0;
  readonly #parts: FormatPart[] = [];
  #literal: number[] = [];

  constructor(format: Buffer) {
    this.#format = format;
  }

  compile(): CompiledFormat {
    while (this.#at < this.#format.length) {
      const byte = this.#format[this.#at++]!;
      if (byte === PERCENT) this.#conversion();
      else if (byte === AT) this.#time();
      else if (byte === BACKSLASH) this.#escape();
      else this.#literal.push(byte);
    }
    this.#endLiteral();
    return this.#parts;
  }

  #conversion(): void {
    const left = this.#take(MINUS);
    const zero = this.#take(ZERO);
    const width = this.#number();
    const precision = this.#take(DOT) ? this.#number() : undefined;
    const first = this.#next();
    const separated = separators().has(first);
    // A separator at the very end is followed by the NUL that ends a C string.
    const letter = separated ? (this.#format[this.#at++] ?? 0) : first;
    if (letter === PERCENT) {
      this.#literal.push(PERCENT);
      return;
    }
    const conversion = conversions().get(letter);
    if (conversion === undefined) {
      throw argumentError`Error: Invalid format specifier '${Uint8Array.of(letter)}'.\n`;
    }
    const field = { left, zero, width, precision, separator: separated ? first : SPACE };
    this.#add({ kind: 'conversion', conversion, field });
  }

  #time(): void {
    const letter = this.#next();
    const name = String.fromCharCode(letter);
    const table = strftimeTable();
    const print = Object.hasOwn(table, name) ? table[name] : undefined;
    if (letter === AT) this.#literal.push(AT);
    else if (print !== undefined) this.#add({ kind: 'time', print });
    // What the C library does not know it prints as it stands.
    else this.#literal.push(PERCENT, letter);
  }

  #escape(): void {
    const letter = this.#format[this.#at++];
    if (letter === undefined) throw argumentError`Error: Incomplete escape specifier.\n`;
    const byte = escapes().get(letter);
    if (byte === undefined)
      throw argumentError`Error: Invalid escape specifier '${Uint8Array.of(letter)}'.\n`;
    this.#literal.push(byte);
  }

  #next(): number {
    const byte = this.#format[this.#at++];
    if (byte === undefined) throw argumentError`Error: Incomplete format specifier.\n`;
    return byte;
  }

  #take(byte: number): boolean {
    if (this.#format[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  /** Decimal digits, as many as there are; none are 0. */
  #number(): number {
    let number = 0;
    for (; ; this.#at++) {
      const digit = this.#format[this.#at];
      if (digit === undefined || digit < ZERO || digit > NINE) return number;
      number = Math.min(number * 10 + digit - ZERO, MAXIMUM_INT);
    }
  }

  #add(part: FormatPart): void {
    this.#endLiteral();
    this.#parts.push(part);
  }

  #endLiteral(): void {
    if (this.#literal.length === 0) return;
    this.#parts.push({ kind: 'literal', bytes: Buffer.from(this.#literal) });
    this.#literal = [];
  }
}
