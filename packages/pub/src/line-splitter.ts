const LF = 0x0a;
const NOTHING = Buffer.alloc(0);

/** Takes lines: `source[start, end)`, without the line end. False: no more for now. */
export interface LineSink {
  write(source: Uint8Array, start: number, end: number): boolean;
}

/**
 * Cuts a stream of chunks into lines at LF and nothing else: CR and NUL are data (cli §11.3). A line inside one chunk
 * is handed on where it lies, one that spans chunks is put together first.
 */
export class LineSplitter {
  /** Lines found so far, whatever became of them. */
  lines = 0;
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** Pieces of the line that has not ended yet. */
  #pieces: Uint8Array[] = [];

  /** Takes the next chunk, when the one before is used up. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Gives lines to `sink` until it says no: false, or until the chunk is used up: true. */
  give(sink: LineSink): boolean {
    const chunk = this.#chunk;
    for (let end = lineEnd(chunk, this.#at); end !== -1; end = lineEnd(chunk, this.#at)) {
      const start = this.#at;
      // Before the line is handed on: it is found even where the sink throws.
      this.#at = end + 1;
      this.lines++;
      const room = this.#pieces.length === 0 ? sink.write(chunk, start, end) : this.#join(start, end, sink);
      if (!room) return false;
    }
    if (this.#at < chunk.length) this.#pieces.push(chunk.subarray(this.#at));
    this.push(NOTHING);
    return true;
  }

  /** Gives the last line to `sink` where the input ended without LF. */
  end(sink: LineSink): void {
    if (this.#pieces.length === 0) return;
    this.lines++;
    this.#join(0, 0, sink);
  }

  /** Finds the lines that are left and gives them to nobody. */
  abandon(): void {
    const nobody: LineSink = { write: () => true };
    this.give(nobody);
    this.end(nobody);
  }

  #join(start: number, end: number, sink: LineSink): boolean {
    const line = Buffer.concat([...this.#pieces, this.#chunk.subarray(start, end)]);
    this.#pieces = [];
    return sink.write(line, 0, line.length);
  }
}

/** Most lines are short: looking at their bytes costs less than calling for a search. */
const SHORT_LINE = 48;

function lineEnd(chunk: Buffer, start: number): number {
  const near = Math.min(chunk.length, start + SHORT_LINE);
  for (let at = start; at < near; at++) if (chunk[at] === LF) return at;
  return near === chunk.length ? -1 : chunk.indexOf(LF, near);
}
