import { ByteBuffer, type ByteSink } from './byte-sink.js';
import { JsonLayout } from './json-layout.js';
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

/** What may follow a backslash, `u` aside. */
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 }).map(
    ([letter, byte]) => [letter.charCodeAt(0), byte],
  ),
);
const LITERALS = ['null', 'true', 'false'] as const;
/** What C's strtod reads of the characters that numbers are made of. */
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

class NotJson extends Error {}

/**
 * Reads a payload as the reference's parser does (cli §15.3), which takes a little more than JSON, and writes it to
 * `out` as JSON that keeps the text of numbers, the order of keys and duplicates (P-7). `depth` is what the value
 * stands inside of. False where it is not a value; `out` then has a part of it.
 */
export function writeJsonPayload(
  out: ByteSink,
  payload: Uint8Array,
  pretty: boolean,
  depth: number,
): boolean {
  if (payload.includes(0)) return false;
  try {
    new JsonPayload(out, payload, pretty, depth).document();
    return true;
  } catch (error) {
    if (error instanceof NotJson) return false;
    throw error;
  }
}

class JsonPayload {
  readonly #out: ByteSink;
  readonly #payload: Buffer;
  readonly #layout: JsonLayout;
  readonly #text = new ByteBuffer(256);
  #at = 0;
  #nesting = 0;

  constructor(out: ByteSink, payload: Uint8Array, pretty: boolean, depth: number) {
    this.#out = out;
    this.#payload = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#layout = new JsonLayout(out, pretty, depth);
  }

  document(): void {
    if (this.#payload.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK))
      this.#at = BYTE_ORDER_MARK.length;
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

  /** Keeps the text as it is (P-7); what only C reads as a number (`01`, `1.`, `-.5`) gets the shape of JSON. */
  #number(): void {
    let end = this.#at;
    while (end < this.#payload.length && NUMBER_CHARACTERS.has(this.#payload[end]!)) end++;
    const text = NUMBER.exec(this.#payload.toString('latin1', this.#at, end))?.[0];
    if (text === undefined) throw new NotJson();
    this.#at += text.length;
    this.#out.text(
      JSON_NUMBER.test(text)
        ? text
        : text
            .replace(/^(-?)0+(?=\d)/, '$1')
            .replace(/^(-?)\./, '$10.')
            .replace(/\.(?!\d)/, ''),
    );
  }

  /** Any byte but NUL may stand in a string; a `\u0000` ends it, as C strings end (cli §15.3). */
  #string(): void {
    const text = this.#text;
    text.clear();
    let end: number | undefined;
    for (this.#at++; ; ) {
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

const NUMBER_CHARACTERS: ReadonlySet<number> = new Set(Buffer.from('0123456789+-eE.'));
