import { PassThrough, Writable } from 'node:stream';
import type { HandledSignal, Io } from '@tsmqtt/cli-kit/program';

/** Surroundings for a program that run in the test's process. */
export interface FakeIo {
  readonly io: Io;
  /** Everything written so far, one character for each byte. */
  readonly stdout: string;
  readonly stderr: string;
  /** Stays open where no input was given. */
  readonly stdin: PassThrough;
  /** What a signal does; false where nobody listens. */
  raise(signal: HandledSignal): boolean;
  /** Resolves when stdout ends with this text. */
  promptShown(text: string): Promise<void>;
}

/** `input`: all of stdin. */
export function fakeIo(input?: string | Buffer, env: Io['env'] = {}): FakeIo {
  const written = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString('latin1');
        for (const wake of waiting) wake();
        done();
      },
    });
  const stdin = new PassThrough();
  if (input !== undefined) stdin.end(input);
  const handlers = new Map<HandledSignal, Set<() => void>>();
  const io: Io = {
    programName: 'tsmqtt-passwd',
    stdin,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env,
    pid: process.pid,
    now: Date.now,
    abandonOutput() {},
    onSignal(signal, handler) {
      const set = handlers.get(signal) ?? new Set();
      handlers.set(signal, set.add(handler));
      return () => set.delete(handler);
    },
  };
  return {
    io,
    stdin,
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    raise(signal) {
      const set = [...(handlers.get(signal) ?? [])];
      for (const handler of set) handler();
      return set.length > 0;
    },
    async promptShown(text) {
      while (!written.stdout.endsWith(text)) {
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
  };
}
