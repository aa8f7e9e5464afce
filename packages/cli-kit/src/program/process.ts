import { createReadStream, readFileSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import type { ExitCode, HandledSignal, Io, Run } from './io.js';

/** What a decoder leaves where bytes were not UTF-8: the sign that `process.argv` lost something. */
const REPLACEMENT = '\uFFFD';

/** An argument reached this program in a form that its bytes cannot be told from. */
export class ArgumentBytesError extends Error {
  override readonly name = 'ArgumentBytesError';
}

/**
 * The arguments of this process as bytes, without interpreter and script (P-23).
 *
 * Node decodes arguments as UTF-8; where that lost something, Linux still has the bytes in `/proc/self/cmdline`.
 * Throws {@link ArgumentBytesError} where they cannot be had.
 */
export function argumentBytes(
  args: readonly string[] = process.argv.slice(2),
  readCommandLine: () => Buffer = () => readFileSync('/proc/self/cmdline'),
): Buffer[] {
  if (!args.some((arg) => arg.includes(REPLACEMENT))) return args.map((arg) => Buffer.from(arg));
  let commandLine: Buffer;
  try {
    commandLine = readCommandLine();
  } catch {
    throw new ArgumentBytesError(
      'an argument is not valid UTF-8, which this system cannot pass on unchanged',
    );
  }
  const raw: Buffer[] = [];
  for (let start = 0; start < commandLine.length; ) {
    const end = commandLine.indexOf(0, start);
    const stop = end === -1 ? commandLine.length : end;
    raw.push(commandLine.subarray(start, stop));
    start = stop + 1;
  }
  // What stands before ours belongs to the interpreter; ours must decode to what Node made of them.
  const ours = args.length === 0 ? [] : raw.slice(-args.length);
  if (ours.length !== args.length || ours.some((bytes, index) => bytes.toString('utf8') !== args[index])) {
    throw new ArgumentBytesError('an argument is not valid UTF-8 and its bytes could not be read again');
  }
  return ours;
}

/** This process as an {@link Io}. Streams are opened when they are first used: that costs time. */
class ProcessIo implements Io {
  readonly programName = basename(process.argv[1] ?? 'tsmqtt').replace(/\.[cm]?[jt]s$/, '');
  readonly env = process.env;
  readonly pid = process.pid;
  readonly now = Date.now;
  readonly opened = new Set<Writable>();
  #stdin: Io['stdin'] | undefined;

  get stdin(): Io['stdin'] {
    this.#stdin ??= readable(process.stdin);
    return this.#stdin;
  }

  get stdout(): Io['stdout'] {
    return this.#open(process.stdout);
  }

  get stderr(): Io['stderr'] {
    return this.#open(process.stderr);
  }

  abandonOutput(): void {
    this.opened.clear();
  }

  onSignal(signal: HandledSignal, handler: () => void): () => void {
    process.on(signal, handler);
    return () => {
      process.off(signal, handler);
    };
  }

  #open<T extends Writable>(stream: T): T {
    if (!this.opened.has(stream)) {
      this.opened.add(stream);
      writeWholly(stream);
      // A reader that went away is not this program's failure (P-22): a write's callback tells who wants to know.
      stream.on('error', () => {});
    }
    return stream;
  }
}

/** For what it does not know, such as a folder, Node.js gives an empty stream: reading it tells what is wrong. */
function readable(stdin: Io['stdin']): Io['stdin'] {
  return stdin.constructor === Readable ? createReadStream('', { fd: 0 }) : stdin;
}

/** Node.js takes what a file has taken in part, such as where the disk becomes full, for written. */
function writeWholly(stream: Writable & { readonly fd?: number }): void {
  const { fd } = stream;
  // Not exported. Pipes and terminals do it right.
  if (fd === undefined || stream.constructor.name !== 'SyncWriteStream') return;
  stream._write = (chunk: Buffer, _encoding, callback) => {
    try {
      for (let written = 0; written < chunk.length; ) written += writeSync(fd, chunk, written);
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  };
}

/** The streams, environment and signals of this process. */
export function processIo(): Io {
  return new ProcessIo();
}

/**
 * Runs a program with this process as its surroundings and ends the process with the program's exit code, once
 * everything that it wrote was handed to the operating system: a pipe loses nothing.
 */
export function runProgram(run: Run): void {
  const io = new ProcessIo();
  // Node.js would open a debugger's port; to these programs it is a signal like any other (cli §12.8).
  process.once('SIGUSR1', () => process.kill(process.pid, 'SIGUSR1'));
  void start(run, io).then(async (code) => {
    process.exitCode = code;
    for (const stream of io.opened) await flushed(stream);
    // A terminal on stdin, or a socket in its last throes, must not keep a finished program.
    process.exit(code);
  });
}

async function start(run: Run, io: Io): Promise<ExitCode> {
  try {
    return await run(argumentBytes(), io);
  } catch (error) {
    const text = error instanceof ArgumentBytesError ? error.message : internal(error);
    io.stderr.write(`Error: ${text}.\n`);
    return 1;
  }
}

function internal(error: unknown): string {
  return `unexpected failure, please report it: ${error instanceof Error ? error.stack : String(error)}`;
}

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
