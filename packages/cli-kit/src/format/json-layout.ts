import type { ByteSink } from './byte-sink.js';

const COMMA = 0x2c;
const COLON = 0x3a;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * What stands between the values of JSON: nothing but the necessary, or with `--pretty` tabs and lines (cli §15.2).
 * Objects inside arrays are indented by the array, too, although it stands on one line.
 */
export class JsonLayout {
  readonly #out: ByteSink;
  readonly #pretty: boolean;
  readonly #outside: number;
  #depth: number;

  constructor(out: ByteSink, pretty: boolean, depth = 0) {
    this.#out = out;
    this.#pretty = pretty;
    this.#outside = depth;
    this.#depth = depth;
  }

  /** Forgets what was opened and not closed. */
  restart(): void {
    this.#depth = this.#outside;
  }

  openObject(): void {
    this.#out.byte(0x7b);
    this.#depth++;
  }

  /** Stands before the name of a member. */
  member(first: boolean): void {
    if (!first) this.#out.byte(COMMA);
    this.#line();
  }

  /** Stands between name and value. */
  colon(): void {
    this.#out.byte(COLON);
    if (this.#pretty) this.#out.byte(TAB);
  }

  closeObject(): void {
    this.#depth--;
    this.#line();
    this.#out.byte(0x7d);
  }

  openArray(): void {
    this.#out.byte(0x5b);
    this.#depth++;
  }

  /** Stands before an element. */
  element(first: boolean): void {
    if (first) return;
    this.#out.byte(COMMA);
    if (this.#pretty) this.#out.byte(SPACE);
  }

  closeArray(): void {
    this.#depth--;
    this.#out.byte(0x5d);
  }

  #line(): void {
    if (!this.#pretty) return;
    this.#out.byte(LF);
    for (let tab = 0; tab < this.#depth; tab++) this.#out.byte(TAB);
  }
}
