const LF = 0x0a;

/** Takes lines: `source[start, end)`, without the line end. False: no more for now. */
export interface LineSink {
  write(source: Uint8Array, start: number, end: number): boolean;
}

/**
 * Cuts a stream of chunks into lines at LF and nothing else: CR and NUL are data (cli §11.3). A line inside one chunk
 * is handed on where it lies, one that spans chunks is put together first.
 */
export class LineSplitter {
  /** Pieces of the line that has not ended yet. */
  #pieces: Uint8Array[] = [];

  /**
   * Gives the lines of `chunk[from, ...)` to `sink` until it says no. Answers where to go on, or -1 when the chunk is
   * used up.
   */
  split(chunk: Buffer, from: number, sink: LineSink): number {
    let start = from;
    for (let end = lineEnd(chunk, start); end !== -1; end = lineEnd(chunk, start)) {
      const room =
        this.#pieces.length === 0 ? sink.write(chunk, start, end) : this.#join(chunk, start, end, sink);
      start = end + 1;
      if (!room) return start;
    }
    if (start < chunk.length) this.#pieces.push(chunk.subarray(start));
    return -1;
  }

  /** Gives the last line to `sink` where the input ended without LF. */
  end(sink: LineSink): void {
    if (this.#pieces.length > 0) this.#join(Buffer.alloc(0), 0, 0, sink);
  }

  /** How many lines `chunk[from, ...)` completes or, at the end of everything, leaves open. */
  countRest(chunk: Buffer | undefined, from: number): number {
    let lines = 0;
    const counter: LineSink = {
      write: () => {
        lines++;
        return true;
      },
    };
    if (chunk !== undefined) this.split(chunk, from, counter);
    this.end(counter);
    return lines;
  }

  #join(chunk: Uint8Array, start: number, end: number, sink: LineSink): boolean {
    const line = Buffer.concat([...this.#pieces, chunk.subarray(start, end)]);
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
