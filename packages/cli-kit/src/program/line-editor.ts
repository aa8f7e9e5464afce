/**
 * Line editing for a terminal in raw mode, where nothing is echoed: Backspace, Ctrl-U, Ctrl-W, Ctrl-C, Ctrl-D. Cursor
 * keys and other control keys do nothing, rather than becoming a part of the password.
 */

/** What a chunk of keys came to. `rest` belongs to the next line. */
export type EditorResult =
  | { readonly kind: 'line'; readonly line: Buffer; readonly rest: Buffer }
  | { readonly kind: 'end' | 'interrupt' | 'more' };

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CTRL_U = 0x15;
const CTRL_W = 0x17;
const ESCAPE = 0x1b;
const SPACE = 0x20;
const DELETE = 0x7f;

/** Where in an escape sequence the editor is: `ESC x`, `ESC O x`, or `ESC [ ... final byte`. */
type EscapeState = 'none' | 'started' | 'single' | 'parameters';

/** The line being typed. */
export class LineEditor {
  private line: number[] = [];
  private escape: EscapeState = 'none';

  /** Takes what the terminal sent. */
  push(keys: Buffer): EditorResult {
    for (const [index, key] of keys.entries()) {
      if (this.escape !== 'none') {
        this.escape = nextEscapeState(this.escape, key);
        continue;
      }
      switch (key) {
        case CARRIAGE_RETURN:
        case LINE_FEED: {
          const line = Buffer.from(this.line);
          this.line = [];
          return { kind: 'line', line, rest: keys.subarray(index + 1) };
        }
        case CTRL_C:
          return { kind: 'interrupt' };
        case CTRL_D:
          if (this.line.length === 0) return { kind: 'end' };
          break;
        case BACKSPACE:
        case DELETE:
          this.eraseCharacter();
          break;
        case CTRL_U:
          this.line = [];
          break;
        case CTRL_W:
          this.eraseWord();
          break;
        case ESCAPE:
          this.escape = 'started';
          break;
        default:
          if (key >= SPACE || key === TAB) this.line.push(key);
      }
    }
    return { kind: 'more' };
  }

  private eraseCharacter(): void {
    // The bytes 10xxxxxx of UTF-8 continue a character, so they go with the byte before them.
    let last = this.line.pop();
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.line.pop();
  }

  private eraseWord(): void {
    while (this.line.at(-1) === SPACE) this.line.pop();
    while (this.line.length > 0 && this.line.at(-1) !== SPACE) this.line.pop();
  }
}

function nextEscapeState(state: EscapeState, key: number): EscapeState {
  if (state === 'started') {
    if (key === 0x5b) return 'parameters';
    return key === 0x4f ? 'single' : 'none';
  }
  // A final byte is @ to ~ (ECMA-48, 5.4).
  return state === 'parameters' && (key < 0x40 || key > 0x7e) ? 'parameters' : 'none';
}
