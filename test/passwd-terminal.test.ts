import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './support/folder.js';
import { programFile, runProgram } from './support/programs.js';

/** tsmqtt-passwd on a terminal, inside a shell that says afterwards how the terminal was left. */
class Terminal {
  private shown = '';
  private readonly watchers = new Set<() => void>();
  private readonly pty: IPty;
  private over = false;
  readonly exited: Promise<number>;

  constructor(args: readonly string[]) {
    const command = '"$@"; code=$?; stty -a | grep -qw -e "-echo" -e "-icanon" && echo "[raw]"; exit $code';
    this.pty = spawn(
      '/bin/sh',
      ['-c', command, 'sh', process.execPath, programFile('tsmqtt-passwd'), ...args],
      {
        cols: 200,
      },
    );
    this.pty.onData((data) => {
      this.shown += data;
      this.notify();
    });
    this.exited = new Promise((resolve) => {
      this.pty.onExit(({ exitCode }) => {
        this.over = true;
        this.notify();
        resolve(exitCode);
      });
    });
    onTestFinished(() => {
      if (!this.over) this.pty.kill('SIGKILL');
    });
  }

  /** What the screen shows, with plain line ends. */
  get screen(): string {
    return this.shown.replaceAll('\r\n', '\n');
  }

  async expectPrompt(text: string): Promise<void> {
    while (!this.screen.endsWith(text)) {
      if (this.over) throw new Error(`ended without asking "${text}":\n${this.screen}`);
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  type(keys: string): void {
    this.pty.write(keys);
  }

  /** The program itself, inside the shell. */
  get programPid(): number {
    return Number(readFileSync(`/proc/${this.pty.pid}/task/${this.pty.pid}/children`, 'utf8').trim());
  }

  private notify(): void {
    for (const wake of this.watchers) wake();
    this.watchers.clear();
  }
}

async function opens(file: string, password: string): Promise<boolean> {
  const { code } = await runProgram('tsmqtt-passwd', ['--verify', '--stdin', file, 'ssbun'], {
    input: password,
  });
  return code === 0;
}

describe.skipIf(process.platform === 'win32')('on a terminal', () => {
  test('asks twice and shows nothing of what is typed', async () => {
    const file = path.join(temporaryFolder(), 'passwd');
    const terminal = new Terminal(['-c', file, 'ssbun']);
    await terminal.expectPrompt('Password: ');
    terminal.type('secret\r');
    await terminal.expectPrompt('Reenter password: ');
    terminal.type('secret\r');
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen).toBe('Password: \nReenter password: \nAdding password for user ssbun\n');
    expect(await opens(file, 'secret')).toBe(true);
  });

  test('takes Backspace and Ctrl-U for what they are', async () => {
    const file = path.join(temporaryFolder(), 'passwd');
    const terminal = new Terminal(['-c', file, 'ssbun']);
    await terminal.expectPrompt('Password: ');
    terminal.type('wrong\x15seä\x7fcrex\x7ft\r');
    await terminal.expectPrompt('Reenter password: ');
    terminal.type('secret\r');
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen).not.toContain('s\x08');
    expect(await opens(file, 'secret')).toBe(true);
  });

  test('takes what was typed ahead, without showing it', async () => {
    const file = path.join(temporaryFolder(), 'passwd');
    const terminal = new Terminal(['-c', file, 'ssbun']);
    await terminal.expectPrompt('Password: ');
    terminal.type('secret\rsecret\r');
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen).toBe('Password: \nReenter password: \nAdding password for user ssbun\n');
  });

  test('two that differ: exit 2, the terminal as it was', async () => {
    const folder = temporaryFolder({ passwd: 'ssbun:x\n' });
    const file = path.join(folder, 'passwd');
    const terminal = new Terminal([file, 'ssbun']);
    await terminal.expectPrompt('Password: ');
    terminal.type('one\r');
    await terminal.expectPrompt('Reenter password: ');
    terminal.type('two\r');
    expect(await terminal.exited).toBe(2);
    expect(terminal.screen).toContain('Passwords do not match.\n');
    expect(terminal.screen).not.toMatch(/one|two|\[raw\]/);
    expect(readFileSync(file, 'utf8')).toBe('ssbun:x\n');
    expect(readdirSync(folder)).toEqual(['passwd']);
  });

  test.each([
    ['an empty line', '\r'],
    ['Ctrl-D', '\x04'],
  ])('%s: exit 1', async (_, keys) => {
    const file = path.join(temporaryFolder(), 'passwd');
    const terminal = new Terminal(['-c', file, 'ssbun']);
    await terminal.expectPrompt('Password: ');
    terminal.type(keys);
    expect(await terminal.exited).toBe(1);
    expect(terminal.screen).toContain('Empty password.\n');
    expect(terminal.screen).not.toContain('[raw]');
    expect(existsSync(file)).toBe(false);
  });

  test('Ctrl-C: exit 0, the terminal as it was, nothing beside the file', async () => {
    const folder = temporaryFolder({ passwd: 'ssbun:x\n' });
    const terminal = new Terminal([path.join(folder, 'passwd'), 'ssbun']);
    await terminal.expectPrompt('Password: ');
    terminal.type('sec\x03');
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen).toBe('Password: \n');
    expect(readdirSync(folder)).toEqual(['passwd']);
    expect(readFileSync(path.join(folder, 'passwd'), 'utf8')).toBe('ssbun:x\n');
  });

  test.runIf(process.platform === 'linux').each(['SIGINT', 'SIGTERM'] as const)(
    '%s from elsewhere: the same',
    async (signal) => {
      const folder = temporaryFolder({ passwd: 'ssbun:x\n' });
      const terminal = new Terminal([path.join(folder, 'passwd'), 'ssbun']);
      await terminal.expectPrompt('Password: ');
      terminal.type('one\r');
      await terminal.expectPrompt('Reenter password: ');
      process.kill(terminal.programPid, signal);
      expect(await terminal.exited).toBe(0);
      expect(terminal.screen).toBe('Password: \nReenter password: \n');
      expect(readdirSync(folder)).toEqual(['passwd']);
      expect(readFileSync(path.join(folder, 'passwd'), 'utf8')).toBe('ssbun:x\n');
    },
  );

  test('Ctrl-C at --verify is not the right password', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'passwd');
    expect((await runProgram('tsmqtt-passwd', ['-c', '-b', file, 'ssbun', 'secret'])).code).toBe(0);
    const terminal = new Terminal(['--verify', file, 'ssbun']);
    await terminal.expectPrompt('Password: ');
    terminal.type('secret\x03');
    expect(await terminal.exited).toBe(130);
    expect(terminal.screen).toBe('Password: \n');
  });

  test('-U and --import ask nothing', async () => {
    const file = path.join(temporaryFolder({ passwd: 'ssbun:x\n' }), 'passwd');
    const hashing = new Terminal(['-U', file]);
    expect(await hashing.exited).toBe(0);
    expect(hashing.screen).toBe('Hashed 1 passwords, 0 were hashed already.\n');
    const importing = new Terminal(['--import', file]);
    importing.type('pi:123\n\x04');
    expect(await importing.exited).toBe(0);
    expect(importing.screen).toContain('Added 1 user, updated 0.\n');
  });
});
