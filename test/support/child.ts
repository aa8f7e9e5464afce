import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';

/** How a process ended, and everything it wrote. */
export interface Ended {
  /** Exit code; null where a signal killed it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to stdin, which then ends. Absent: stdin stays open. */
  readonly input?: string | Uint8Array;
  /** false: stdout is not read until `readStdout()`, so that the pipe fills up. */
  readonly collect?: boolean;
}

/** A running process whose output is collected. It is killed when the test ends, if it still runs. */
export class Child {
  readonly #process: ChildProcess;
  readonly #chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  readonly #watchers = new Set<() => void>();
  #over: Ended | undefined;
  readonly ended: Promise<Ended>;

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    this.#process = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // A program that ends before it has read everything is the test's business, not an error of its own.
    this.stdin.on('error', () => {});
    this.#collect('stderr');
    if (options.collect !== false) this.#collect('stdout');
    this.ended = new Promise((resolve, reject) => {
      this.#process.on('error', reject);
      this.#process.on('close', (code, signal) => {
        this.#over = { code, signal, stdout: this.stdout, stderr: this.stderr };
        this.#notify();
        resolve(this.#over);
      });
    });
    if (options.input !== undefined) this.stdin.end(options.input);
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get stdin(): Writable {
    return this.#process.stdin as Writable;
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#chunks.stdout);
  }

  get stderr(): string {
    return Buffer.concat(this.#chunks.stderr).toString();
  }

  /** Begins to collect stdout where `collect` was false. */
  readStdout(): void {
    this.#collect('stdout');
  }

  /** The raw stream, where `collect` was false. */
  get stdoutStream(): Readable {
    return this.#process.stdout as Readable;
  }

  /** Resolves to the first line that matches; rejects when the process ends without one. */
  line(pattern: RegExp | string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    return this.#until(() => {
      const lines = Buffer.concat(this.#chunks[stream]).toString().split('\n').slice(0, -1);
      return lines.find((line) => (typeof pattern === 'string' ? line === pattern : pattern.test(line)));
    }, `no line like ${pattern} on ${stream}`);
  }

  /** Resolves when stdout has at least that many lines. */
  async lines(count: number): Promise<void> {
    await this.#until(
      () => (countLines(this.#chunks.stdout) >= count ? true : undefined),
      `fewer than ${count} lines on stdout`,
    );
  }

  /** Resolves when it has written more; rejects when it has ended. */
  async more(stream: 'stdout' | 'stderr'): Promise<void> {
    const before = this.#chunks[stream].length;
    await this.#until(
      () => (this.#chunks[stream].length > before ? true : undefined),
      `nothing more on ${stream}`,
    );
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#process.kill(signal);
    return this.ended;
  }

  /** Highest amount of memory it ever had resident, in MiB (Linux). */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  async #until<T>(probe: () => T | undefined, failure: string): Promise<T> {
    for (;;) {
      const found = probe();
      if (found !== undefined) return found;
      if (this.#over) {
        const { code, signal, stdout, stderr } = this.#over;
        throw new Error(`${failure}; ended with ${signal ?? code}\nstdout: ${stdout}\nstderr: ${stderr}`);
      }
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #collect(stream: 'stdout' | 'stderr'): void {
    this.#process[stream]?.on('data', (chunk: Buffer) => {
      this.#chunks[stream].push(chunk);
      this.#notify();
    });
  }

  #notify(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }
}

function countLines(chunks: readonly Buffer[]): number {
  let count = 0;
  for (const chunk of chunks) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) count += 1;
  }
  return count;
}

/** Starts a process that is killed at the end of the test that started it. */
export function startChild(command: string, args: readonly string[], options?: ChildOptions): Child {
  const child = new Child(command, args, options);
  onTestFinished(async () => {
    await child.kill('SIGKILL').catch(() => undefined);
  });
  return child;
}
