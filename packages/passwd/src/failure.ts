/** A run that ends here: what stderr says and with which code. Thrown anywhere, answered once, in `run()`. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly output: Buffer;
  readonly exitCode: number;

  constructor(output: Buffer, exitCode = 1) {
    super(output.toString('utf8'));
    this.output = output;
    this.exitCode = exitCode;
  }
}

/** Ctrl-C, SIGINT or SIGTERM: nothing more is written, and `run()` knows the exit code (cli §18.3). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
