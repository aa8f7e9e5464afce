/** Where a line of a configuration stands. */
export interface ConfPosition {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The line of the main file whose `include_dir` led there. */
  readonly includedFrom?: ConfPosition;
}

/** A configuration that the broker does not start with. `message` is the first of `lines`. */
export class ConfError extends Error {
  override readonly name = 'ConfError';
  readonly code = 'bad-configuration';
  /** What to log, one line each: the fault and where it stands (contract broker §2.3). */
  readonly lines: readonly string[];
  /** Exit code of the program. */
  readonly exitCode: 3 | 13;

  constructor(text: string, position?: ConfPosition, exitCode: 3 | 13 = 3) {
    super(text);
    this.lines = position === undefined ? [text] : [text, ...foundAt(position)];
    this.exitCode = exitCode;
  }
}

/** `Error found at FILE:LINE.`, in quotes for an included file, which its place in the main file follows. */
function foundAt(position: ConfPosition): string[] {
  const place = placeOf(position);
  return position.includedFrom === undefined
    ? [`Error found at ${place}.`]
    : [`Error found at '${place}'.`, ...foundAt(position.includedFrom)];
}

/** `FILE:LINE` */
export function placeOf(position: ConfPosition): string {
  return `${position.file}:${position.line}`;
}
