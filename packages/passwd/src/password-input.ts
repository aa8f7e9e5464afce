import { byteText, type Io, LineEditor } from '@tsmqtt/cli-kit/program';
import type { PasswordSource } from './arguments.js';
import { Failure, Interrupted } from './failure.js';
import { osErrorText } from './os-error.js';

/** Longest password that is read from stdin, bytes (cli §18.3). */
const MAX_LINE_LENGTH = 65_499;
const LINE_FEED = 0x0a;

interface RawTerminal {
  setRawMode(raw: boolean): unknown;
}

/**
 * Gets the password from where the user wants it to come from (cli §18.3, P-17).
 *
 * @throws Failure for an empty password, two that differ (exit 2), or one that is too long; Interrupted on Ctrl-C or
 * when `signal` aborts. The terminal is as it was in every case.
 */
export async function newPassword(source: PasswordSource, io: Io, signal: AbortSignal): Promise<Buffer> {
  if ('given' in source) return source.given;
  return withInput(io, signal, async (input) => {
    if (source.from === 'stdin') return nonEmpty(await input.readLine());
    const first = await ask(input, io, 'Password: ');
    const second = await ask(input, io, 'Reenter password: ');
    if (!first.equals(second)) throw new Failure(byteText`Error: Passwords do not match.\n`, 2);
    return first;
  });
}

/** Gets a password to compare with: once, and an empty one is as good as any. */
export async function existingPassword(source: PasswordSource, io: Io, signal: AbortSignal): Promise<Buffer> {
  if ('given' in source) return source.given;
  return withInput(io, signal, async (input) => {
    if (source.from === 'stdin') return (await input.readLine()) ?? Buffer.alloc(0);
    return ask(input, io, 'Password: ');
  });
}

/** Reads stdin to its end. Throws Failure where it cannot be read; Interrupted when `signal` aborts. */
export async function readAll(stdin: Io['stdin'], signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await nextChunk(stdin, signal);
    if (chunk === undefined) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

async function ask(input: LineInput, io: Io, prompt: string): Promise<Buffer> {
  io.stdout.write(prompt);
  const password = nonEmpty(await input.readLine());
  io.stdout.write('\n');
  return password;
}

function nonEmpty(line: Buffer | undefined): Buffer {
  if (line === undefined || line.length === 0) throw new Failure(byteText`Error: Empty password.\n`);
  return line;
}

async function withInput<T>(io: Io, signal: AbortSignal, work: (input: LineInput) => Promise<T>): Promise<T> {
  const { stdin } = io;
  const terminal = stdin.isTTY === true && canBeRaw(stdin) ? stdin : undefined;
  const input = new LineInput(stdin, terminal !== undefined, signal);
  // Raw for the whole dialogue: what is typed ahead of the second prompt must not be shown either.
  terminal?.setRawMode(true);
  try {
    return await work(input);
  } catch (error) {
    if (error instanceof Interrupted && terminal !== undefined) io.stdout.write('\n');
    throw error;
  } finally {
    terminal?.setRawMode(false);
  }
}

function canBeRaw(stream: object): stream is RawTerminal {
  return 'setRawMode' in stream && typeof stream.setRawMode === 'function';
}

/** Lines of stdin. What follows a line waits for the next one. */
class LineInput {
  private readonly stdin: Io['stdin'];
  private readonly editor: LineEditor | undefined;
  private readonly signal: AbortSignal;
  private buffered: Buffer = Buffer.alloc(0);
  private ended = false;

  constructor(stdin: Io['stdin'], isTerminal: boolean, signal: AbortSignal) {
    this.stdin = stdin;
    this.editor = isTerminal ? new LineEditor() : undefined;
    this.signal = signal;
  }

  /**
   * The next line up to a NUL, without its line end; `undefined` at the end of the input.
   */
  async readLine(): Promise<Buffer | undefined> {
    for (;;) {
      const line = this.takeLine();
      if (line !== undefined) return passwordOf(line);
      if (this.ended) return undefined;
      const chunk = await nextChunk(this.stdin, this.signal);
      if (chunk === undefined) this.ended = true;
      else this.buffered = Buffer.concat([this.buffered, chunk]);
    }
  }

  private takeLine(): Buffer | undefined {
    const keys = this.buffered;
    if (this.editor !== undefined) {
      this.buffered = Buffer.alloc(0);
      const result = this.editor.push(keys);
      if (result.kind === 'interrupt') throw new Interrupted();
      if (result.kind === 'end') this.ended = true;
      if (result.kind !== 'line') return undefined;
      this.buffered = result.rest;
      return result.line;
    }
    const feed = keys.indexOf(LINE_FEED);
    if (feed === -1) {
      if (keys.length > MAX_LINE_LENGTH + 1) throw tooLong();
      if (!this.ended || keys.length === 0) return undefined;
    }
    this.buffered = feed === -1 ? Buffer.alloc(0) : keys.subarray(feed + 1);
    return feed === -1 ? keys : keys.subarray(0, feed);
  }
}

function passwordOf(line: Buffer): Buffer {
  const nul = line.indexOf(0);
  const text = nul === -1 ? line : line.subarray(0, nul);
  let end = text.length;
  while (end > 0 && text[end - 1] === 0x0d) end -= 1;
  if (end > MAX_LINE_LENGTH) throw tooLong();
  return text.subarray(0, end);
}

function tooLong(): Failure {
  return new Failure(byteText`Error: Password must be less than ${MAX_LINE_LENGTH + 1} characters long.\n`);
}

function unreadable(error: Error): Failure {
  return new Failure(byteText`Error: Unable to read stdin. ${osErrorText(error)}.\n`);
}

/** The next chunk, `undefined` at the end. Stdin is paused again afterwards, so that it keeps nothing alive. */
function nextChunk(stdin: Io['stdin'], signal: AbortSignal): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      stdin.pause();
      stdin.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onData = (chunk: Buffer | string) => settle(() => resolve(Buffer.from(chunk)));
    const onEnd = () => settle(() => resolve(undefined));
    const onError = (error: Error) => settle(() => reject(unreadable(error)));
    const onAbort = () => settle(() => reject(new Interrupted()));
    if (signal.aborted) return onAbort();
    if (stdin.readableEnded || stdin.destroyed) return onEnd();
    signal.addEventListener('abort', onAbort);
    stdin.on('end', onEnd).on('close', onEnd).on('error', onError).on('data', onData);
    stdin.resume();
  });
}
