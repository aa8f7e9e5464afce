import { EventEmitter, once } from 'node:events';
import { PassThrough, type Readable, Writable } from 'node:stream';
import type { HandledSignal, Io } from '../src/program/io.js';

export interface MemoryIoOptions {
  readonly programName?: string;
  readonly env?: Record<string, string>;
  /** All of standard input; without it stdin stays open until `keyboard.end()`. */
  readonly stdin?: string | Uint8Array | Readable;
  readonly terminal?: boolean;
  /** Replaces the collecting stdout, for tests that hold it up or close it. */
  readonly stdout?: Writable;
}

/** A program's surroundings in memory. */
export class MemoryIo implements Io {
  readonly programName: string;
  readonly stdin: Readable;
  /** Writes to standard input where it was left open. */
  readonly keyboard = new PassThrough();
  readonly stdout: Io['stdout'];
  readonly stderr: Io['stderr'];
  readonly env: Record<string, string | undefined>;
  readonly pid = 4711;
  readonly #signals = new EventEmitter();
  readonly #out: Buffer[] = [];
  readonly #err: Buffer[] = [];
  readonly #written = new EventEmitter();

  constructor(options: MemoryIoOptions = {}) {
    this.programName = options.programName ?? 'PROG';
    // Without a folder of its own a developer's options file would take part.
    this.env = { XDG_CONFIG_HOME: '/nonexistent', ...options.env };
    this.stdout = options.stdout ?? this.#collector(this.#out, options.terminal);
    this.stderr = this.#collector(this.#err, options.terminal);
    const { stdin } = options;
    this.stdin = typeof stdin === 'object' && 'pipe' in stdin ? stdin : this.keyboard;
    if (typeof stdin === 'string' || stdin instanceof Uint8Array) this.keyboard.end(stdin);
  }

  now(): number {
    return Date.now();
  }

  /** Whether the program has given up its output. */
  abandoned = false;

  abandonOutput(): void {
    this.abandoned = true;
  }

  onSignal(signal: HandledSignal, handler: () => void): () => void {
    this.#signals.on(signal, handler);
    return () => {
      this.#signals.off(signal, handler);
    };
  }

  /** Sends a signal; false where the program left it to the system. */
  signal(signal: HandledSignal): boolean {
    return this.#signals.emit(signal);
  }

  /** Standard output so far. */
  get out(): Buffer {
    return Buffer.concat(this.#out);
  }

  /** Standard error so far. */
  get err(): string {
    return this.errBytes.toString();
  }

  get errBytes(): Buffer {
    return Buffer.concat(this.#err);
  }

  /** Waits until stdout or stderr has what `found` looks for. */
  async until(found: (io: this) => boolean): Promise<void> {
    while (!found(this)) await once(this.#written, 'write');
  }

  #collector(chunks: Buffer[], terminal: boolean | undefined): Writable & { isTTY?: boolean } {
    const stream: Writable & { isTTY?: boolean } = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        // What is given to a stream belongs to it only until it says done.
        chunks.push(Buffer.from(chunk));
        this.#written.emit('write');
        done();
      },
    });
    if (terminal) stream.isTTY = true;
    return stream;
  }
}

/** Arguments as a program gets them. */
export function bytes(args: readonly (string | Uint8Array)[]): Buffer[] {
  return args.map((argument) => Buffer.from(argument as string));
}
