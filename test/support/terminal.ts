import { spawn } from '@lydell/node-pty';
import { onTestFinished } from 'vitest';
import { type ProgramName, programFile } from './programs.js';

/** A program on a terminal of its own: what a user sees and types. */
export class Terminal {
  readonly #pty: ReturnType<typeof spawn>;
  readonly #watchers = new Set<() => void>();
  #code: number | undefined;
  /** Everything shown so far. */
  screen = '';

  constructor(name: ProgramName, args: readonly string[], cwd: string) {
    this.#pty = spawn(process.execPath, [programFile(name), ...args], { cwd, cols: 120, rows: 40 });
    this.#pty.onData((text) => {
      this.screen += text;
      this.#notify();
    });
    this.#pty.onExit(({ exitCode }) => {
      this.#code = exitCode;
      this.#notify();
    });
    onTestFinished(() => {
      if (this.#code === undefined) this.#pty.kill('SIGKILL');
    });
  }

  /** Waits until the screen ends with the prompt, then types a line. */
  async answer(prompt: string, line: string): Promise<void> {
    await this.#until(() => this.screen.endsWith(prompt));
    this.#pty.write(`${line}\r`);
  }

  /** Exit code, once the program has ended. */
  async exitCode(): Promise<number> {
    await this.#until(() => this.#code !== undefined);
    return this.#code as number;
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      if (this.#code !== undefined) throw new Error(`ended with ${this.#code}, showing: ${this.screen}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #notify(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }
}
