import { ByteBuffer, type ByteSink } from './byte-sink.js';
import { JsonLayout } from './json-layout.js';
import { writeJsonNumber } from './json-number.js';
import { writeJsonStringOfAnyBytes } from './json-string.js';

/** Arrays and objects inside each other (cli §15.3). */
const MAXIMUM_NESTING = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const SPACE = 0x20;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const EMPTY = Buffer.alloc(0);

/** What may follow a backslash, `u` aside. */
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 }).map(
    ([letter, byte]) => [letter.charCodeAt(0), byte],
  ),
);
const LITERALS = ['null', 'true', 'false'] as const;

class NotJson extends Error {}

/**
 * Reads payloads as the reference's parser does (cli §15.3), which takes a little more than JSON, and writes them as
 * JSON that keeps the text of numbers, the order of keys and duplicates (P-7).
 */
export class JsonPayloadWriter {
  readonly #out: ByteSink;
  readonly #layout: JsonLayout;
  readonly #text = new ByteBuffer(256);
  #payload: Buffer = EMPTY;
  #at = 0;
  #nesting = 0;

  /** `depth` is the number of objects and arrays that values stand inside of, for `--pretty`. */
  constructor(out: ByteSink, pretty: boolean, depth: number) {
    this.#out = out;
    this.#layout = new JsonLayout(out, pretty, depth);
  }

  /** False where the payload is not a value; what was written until then is of no use. */
  write(payload: Uint8Array): boolean {
    if (payload.includes(0)) return false;
    this.#payload = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#at = 0;
    this.#nesting = 0;
    this.#layout.restart();
    try {
      this.#document();
      return true;
    } catch (error) {
      if (error instanceof NotJson) return false;
      throw error;
    } finally {
      this.#payload = EMPTY;
    }
  }

  #document(): void {
    if (this.#payload[0] === BYTE_ORDER_MARK[0] && this.#payload.indexOf(BYTE_ORDER_MARK) === 0) {
      this.#at = BYTE_ORDER_MARK.length;
    }
    this.#value();
    if (this.#blank() !== undefined) throw new NotJson();
  }

  #value(): void {
    const byte = this.#blank();
    if (byte === 0x7b) this.#object();
    else if (byte === 0x5b) this.#array();
    else if (byte === QUOTE) this.#string();
    else if (byte === MINUS || (byte !== undefined && byte >= 0x30 && byte <= 0x39)) this.#number();
    else this.#literal();
  }

  #object(): void {
    this.#enter();
    this.#layout.openObject();
    if (!this.#take(0x7d)) {
      let first = true;
      do {
        this.#layout.member(first);
        first = false;
        if (this.#blank() !== QUOTE) throw new NotJson();
        this.#string();
        if (!this.#take(COLON)) throw new NotJson();
        this.#layout.colon();
        this.#value();
      } while (this.#take(COMMA));
      if (!this.#take(0x7d)) throw new NotJson();
    }
    this.#layout.closeObject();
    this.#nesting--;
  }

  #array(): void {
    this.#enter();
    this.#layout.openArray();
    if (!this.#take(0x5d)) {
      let first = true;
      do {
        this.#layout.element(first);
        first = false;
        this.#value();
      } while (this.#take(COMMA));
      if (!this.#take(0x5d)) throw new NotJson();
    }
    this.#layout.closeArray();
    this.#nesting--;
  }

  /** Steps over the bracket. */
  #enter(): void {
    if (++this.#nesting > MAXIMUM_NESTING) throw new NotJson();
    this.#at++;
  }

  #literal(): void {
    const literal = LITERALS.find(
      (text) => this.#payload.toString('latin1', this.#at, this.#at + text.length) === text,
    );
    if (literal === undefined) throw new NotJson();
    this.#out.text(literal);
    this.#at += literal.length;
  }

  #number(): void {
    const length = writeJsonNumber(this.#out, this.#payload, this.#at);
    if (length === 0) throw new NotJson();
    this.#at += length;
  }

  /** Any byte but NUL may stand in a string. */
  #string(): void {
    const start = ++this.#at;
    for (; ; this.#at++) {
      const byte = this.#payload[this.#at];
      if (byte === undefined) throw new NotJson();
      if (byte !== QUOTE && byte !== BACKSLASH) continue;
      const text = this.#payload.subarray(start, this.#at);
      if (byte === BACKSLASH) this.#escapedString(text);
      else {
        writeJsonStringOfAnyBytes(this.#out, text);
        this.#at++;
      }
      return;
    }
  }

  /** From the first backslash on. A `\u0000` ends the text, as C strings end (cli §15.3). */
  #escapedString(before: Uint8Array): void {
    const text = this.#text;
    text.clear();
    text.bytes(before);
    let end: number | undefined;
    for (;;) {
      const byte = this.#payload[this.#at++];
      if (byte === undefined) throw new NotJson();
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) text.byte(byte);
      else if (this.#payload[this.#at] === 0x75) {
        const codePoint = this.#unicodeEscape();
        if (codePoint === 0) end ??= text.length;
        text.text(String.fromCodePoint(codePoint));
      } else {
        const escaped = ESCAPES.get(this.#payload[this.#at++] ?? 0);
        if (escaped === undefined) throw new NotJson();
        text.byte(escaped);
      }
    }
    writeJsonStringOfAnyBytes(this.#out, text.view().subarray(0, end));
  }

  /** `uXXXX` behind a backslash, two of them for what lies beyond U+FFFF. */
  #unicodeEscape(): number {
    const high = this.#hexadecimal();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || this.#payload[this.#at++] !== BACKSLASH) throw new NotJson();
    const low = this.#hexadecimal();
    if (low < 0xdc00 || low > 0xdfff) throw new NotJson();
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  #hexadecimal(): number {
    const found = /^u([0-9a-fA-F]{4})$/.exec(this.#payload.toString('latin1', this.#at, this.#at + 5));
    if (found === null) throw new NotJson();
    this.#at += 5;
    return Number.parseInt(found[1]!, 16);
  }

  /** The next byte that is not white space; undefined at the end. */
  #blank(): number | undefined {
    for (; ; this.#at++) {
      const byte = this.#payload[this.#at];
      if (byte === undefined || byte > SPACE) return byte;
    }
  }

  #take(byte: number): boolean {
    if (this.#blank() !== byte) return false;
    this.#at++;
    return true;
  }
}
