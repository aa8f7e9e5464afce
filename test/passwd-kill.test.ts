import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './support/folder.js';
import { programFile, runProgram } from './support/programs.js';

/**
 * Whenever tsmqtt-passwd is killed, the file is the old one or the new one, and the next run works and leaves nothing
 * behind (P-19, P-30). `PASSWD_KILLS=500` kills more often than is worth it in every run.
 */
const KILLS = Number(process.env.PASSWD_KILLS ?? 60);
/** Says what was seen to who asked for more. */
const report = (text: string) => {
  if (process.env.PASSWD_KILLS !== undefined) console.log(text);
};
const KILL_TIMEOUT = 60_000 + KILLS * 2_000;

const HASH = '\\$7\\$1\\$[A-Za-z0-9+/]{16}\\$[A-Za-z0-9+/]{86}==';
const KNOWN = `$7$2$${Buffer.alloc(12, 1).toString('base64')}$${Buffer.alloc(64, 2).toString('base64')}`;
/** Larger than what one write can bring to the disk at once. */
const OTHERS = Array.from({ length: 2_000 }, (_, index) => `other${index}:${KNOWN}\n`).join('');
const OLD = `# staff\r\nu:plain\n${OTHERS}v:${KNOWN}`;

interface Operation {
  readonly name: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Undefined: the file is not there. */
  readonly old: string | undefined;
  /** The new file, with `HASH` for each hash of one iteration. */
  readonly new: string;
}

// biome-ignore format: one row a line
const OPERATIONS: readonly Operation[] = [
  { name: 'add', args: ['-I', '1', '-b', 'FILE', 'new', 'p'], old: OLD, new: `${OLD}\nnew:HASH\n` },
  { name: 'change', args: ['-I', '1', '-b', 'FILE', 'u', 'p'], old: OLD, new: `# staff\r\nu:HASH\n${OTHERS}v:${KNOWN}` },
  { name: 'delete', args: ['-D', 'FILE', 'v'], old: OLD, new: `# staff\r\nu:plain\n${OTHERS}` },
  { name: '-U', args: ['-I', '1', '-U', 'FILE'], old: OLD, new: `# staff\r\nu:HASH\n${OTHERS}v:${KNOWN}` },
  { name: '--import', args: ['-I', '1', '--import', 'FILE'], input: 'u:p\nnew:q\n', old: OLD, new: `# staff\r\nu:HASH\n${OTHERS}v:${KNOWN}\nnew:HASH\n` },
  { name: '-c', args: ['-I', '1', '-c', '-b', 'FILE', 'u', 'p'], old: undefined, new: 'u:HASH\n' },
];

type Outcome = 'old' | 'new' | 'damaged';

function stateOf(file: string, operation: Operation): Outcome {
  const content = existsSync(file) ? readFileSync(file, 'latin1') : undefined;
  if (content === operation.old) return 'old';
  if (content === undefined) return 'damaged';
  return content.replace(new RegExp(HASH, 'g'), 'HASH') === operation.new ? 'new' : 'damaged';
}

function prepare(operation: Operation): { folder: string; file: string; args: string[] } {
  const folder = temporaryFolder(operation.old === undefined ? {} : { f: operation.old });
  const file = path.join(folder, 'f');
  return { folder, file, args: operation.args.map((arg) => (arg === 'FILE' ? file : arg)) };
}

/** The same once more: it works, whatever was left, and nothing is left then. */
async function expectNextRunWorks(folder: string, file: string): Promise<void> {
  const create = existsSync(file) ? [] : ['-c'];
  const { code, stderr } = await runProgram('tsmqtt-passwd', [...create, '-I', '1', '-b', file, 'next', 'p']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(readFileSync(file, 'latin1')).toMatch(new RegExp(`^next:${HASH}\n$`, 'm'));
  expect(readdirSync(folder)).toEqual(['f']);
}

/** Starts the program and kills it at that moment. Resolves to whether it was still running. */
async function killedRun(
  operation: Operation,
  folder: string,
  args: string[],
  moment: Moment,
): Promise<boolean> {
  const child = spawn(process.execPath, [programFile('tsmqtt-passwd'), ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(child, 'exit');
  child.stdin.on('error', () => {});
  child.stdin.end(operation.input ?? '');
  if (moment.from === 'lock') {
    // The first thing that happens beside the file is that it is locked.
    const watcher = watch(folder);
    await Promise.race([once(watcher, 'change'), exited]);
    watcher.close();
  }
  const started = process.hrtime.bigint();
  // Timers are too coarse for the time that it takes to write.
  while (Number(process.hrtime.bigint() - started) / 1e6 < moment.after - 2) await delay(1);
  while (Number(process.hrtime.bigint() - started) / 1e6 < moment.after);
  child.kill('SIGKILL');
  const [code] = await exited;
  return code === null;
}

interface Moment {
  readonly from: 'start' | 'lock';
  /** Milliseconds. */
  readonly after: number;
}

describe.skipIf(process.platform === 'win32')('killed at a random moment', () => {
  test(`${KILLS} times: the old file or the new one`, { timeout: KILL_TIMEOUT }, async () => {
    const counts = { old: 0, new: 0, damaged: 0, running: 0, 'left something': 0 };
    const first = prepare(OPERATIONS[0]!);
    const begun = Date.now();
    await runProgram('tsmqtt-passwd', first.args);
    const whole = Date.now() - begun;
    for (let run = 0; run < KILLS; run += 1) {
      const operation = OPERATIONS[run % OPERATIONS.length]!;
      const { folder, file, args } = prepare(operation);
      // One in three at any time between the start and the end, the others while the file is written.
      const moment: Moment =
        run % 3 === 0
          ? { from: 'start', after: Math.random() * whole * 1.1 }
          : { from: 'lock', after: Math.random() * 8 };
      if (await killedRun(operation, folder, args, moment)) counts.running += 1;
      const outcome = stateOf(file, operation);
      counts[outcome] += 1;
      if (readdirSync(folder).some((name) => name !== 'f')) counts['left something'] += 1;
      await expectNextRunWorks(folder, file);
    }
    report(`${KILLS} kills: ${JSON.stringify(counts)}`);
    expect(counts.damaged).toBe(0);
    expect(counts.old + counts.new).toBe(KILLS);
  });
});

/**
 * What changes files or makes the change last, and what looks for leftovers. How often Node itself opens files differs
 * from run to run, so opening is not among them. `?`: not every processor has each of them.
 */
const CALLS =
  'symlink symlinkat getdents64 write pwrite64 fchmod fchown fsync ftruncate link linkat rename renameat unlink unlinkat'
    .split(' ')
    .map((name) => `?${name}`)
    .join(',');
const TRACE = ['-y', '-s', '0', '-e', `trace=${CALLS}`];

/** Runs the program under strace. Only its main thread is traced, which writes the file. */
function traced(options: readonly string[], args: readonly string[], input: string) {
  const program = [process.execPath, programFile('tsmqtt-passwd'), ...args];
  return spawnSync('strace', [...options, ...program], { input, encoding: 'utf8' });
}

/** Every call of a whole run that has to do with the folder: its name, and the how manieth of that name it is. */
function callsIn(
  folder: string,
  args: readonly string[],
  input: string,
): { name: string; nth: number; text: string }[] {
  const log = path.join(temporaryFolder(), 'log');
  const { status, stderr } = traced([...TRACE, '-o', log], args, input);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const seen = new Map<string, number>();
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .flatMap((text) => {
      const name = /^(\w+)\(/.exec(text)?.[1];
      if (name === undefined) return [];
      const nth = (seen.get(name) ?? 0) + 1;
      seen.set(name, nth);
      return [{ name, nth, text }];
    });
  return calls.filter(({ text }) => text.includes(folder));
}

const strace =
  process.platform === 'linux' &&
  spawnSync('strace', ['-e', 'trace=?fsync', 'true'], { stdio: 'ignore' }).status === 0;

describe.skipIf(!strace)(`killed before every system call${strace ? '' : ' (strace cannot be used)'}`, () => {
  test.each(OPERATIONS)(
    'of $name: the old file, then the new one',
    { timeout: 120_000 },
    async (operation) => {
      const { input = '' } = operation;
      const whole = prepare(operation);
      const calls = callsIn(whole.folder, whole.args, input);
      expect(stateOf(whole.file, operation)).toBe('new');
      const outcomes: string[] = [];
      for (const { name, nth } of calls) {
        const { folder, file, args } = prepare(operation);
        const inject = `inject=${name}:signal=KILL:when=${nth}`;
        const { signal } = traced(['-o', '/dev/null', '-e', `trace=${name}`, '-e', inject], args, input);
        expect(signal).toBe('SIGKILL');
        outcomes.push(stateOf(file, operation));
        await expectNextRunWorks(folder, file);
      }
      report(`${operation.name}: ${calls.map(({ name }, index) => `${name} ${outcomes[index]}`).join(', ')}`);
      expect(outcomes).not.toContain('damaged');
      // What is between those two may be shifted by a call of Node's own.
      expect([outcomes[0], outcomes.at(-1)]).toEqual(['old', 'new']);
    },
  );
});
