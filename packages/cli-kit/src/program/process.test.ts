import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArgumentBytesError, argumentBytes } from './process.js';

describe('argumentBytes (P-23)', () => {
  test('takes UTF-8 arguments as they are, without reading anything', () => {
    const unreadable = () => expect.fail('not needed');
    expect(argumentBytes(['-m', 'é', ''], unreadable)).toEqual([
      Buffer.from('-m'),
      Buffer.from('é'),
      Buffer.alloc(0),
    ]);
  });

  test('reads the bytes again where decoding lost some', () => {
    const commandLine = Buffer.from('node\0--x\0script\0-m\0a\xffb\0\0', 'latin1');
    expect(argumentBytes(['-m', 'a\uFFFDb', ''], () => commandLine)).toEqual([
      Buffer.from('-m'),
      Buffer.from('a\xffb', 'latin1'),
      Buffer.alloc(0),
    ]);
  });

  test('refuses arguments whose bytes cannot be had', () => {
    const missing = () => {
      throw new Error('ENOENT');
    };
    expect(() => argumentBytes(['\uFFFD'], missing)).toThrow(ArgumentBytesError);
    expect(() => argumentBytes(['\uFFFD'], () => Buffer.from('node\0script\0b\0'))).toThrow(
      ArgumentBytesError,
    );
  });
});

describe('runProgram', () => {
  let folder: string;
  let program: string;

  /** A program that does what its first argument says. */
  const source = `
    import { runProgram } from ${JSON.stringify(fileURLToPath(new URL('./process.ts', import.meta.url)))};
    runProgram(async (argv, io) => {
      switch (String(argv[0])) {
        case 'flood': io.stdout.write(Buffer.alloc(4_000_000, 97)); io.stderr.write('done'); return 3;
        case 'echo': io.stdout.write(argv[1]); return 0;
        case 'name': io.stdout.write(io.programName); return 0;
        case 'throw': throw new Error('boom');
        case 'read': {
          io.stdout.write('ready');
          let ending = 'end';
          io.stdin.on('error', ({ code }) => { ending = code; }).resume();
          await new Promise((resolve) => io.stdin.on('close', resolve).on('end', resolve));
          io.stdout.write(ending);
          return 0;
        }
        case 'print':
          return new Promise((resolve) => {
            io.stdout.write(Buffer.alloc(100_000, 97), (error) => {
              io.stderr.write(String(error?.code));
              resolve(0);
            });
          });
        case 'abandon':
          io.stdout.write(Buffer.alloc(4_000_000, 97));
          io.stderr.write('done');
          io.abandonOutput();
          return 5;
        case 'linger': setInterval(() => {}, 1000); io.stdin.resume(); return 7;
      }
    });`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tsmqtt-process-'));
    program = join(folder, 'program.cjs');
    await build({
      stdin: { contents: source, resolveDir: folder },
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  interface Outcome {
    code: number | null;
    stdout: Buffer;
    stderr: string;
  }

  function execute(command: string, args: string[], onSpawn?: (child: ReturnType<typeof spawn>) => void) {
    return new Promise<Outcome>((resolve, reject) => {
      const child = spawn(command, args, { stdio: 'pipe' });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk) => out.push(chunk));
      child.stderr.on('data', (chunk) => err.push(chunk));
      child.on('error', reject);
      child.on('close', (code) =>
        resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
      );
      onSpawn?.(child);
    });
  }

  test('exits with the code of the program after the last byte', async () => {
    const outcome = await execute(process.execPath, [program, 'flood']);
    expect([outcome.code, outcome.stdout.length, outcome.stderr]).toEqual([3, 4_000_000, 'done']);
  });

  test('does not wait for a reader that the program has given up', async () => {
    const child = spawn(process.execPath, [program, 'abandon'], { stdio: 'pipe' });
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    // Nobody reads its stdout.
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(5);
    child.stdout.destroy();
    expect(err).toBe('done');
  });

  test('ends although something would keep the event loop alive', async () => {
    expect((await execute(process.execPath, [program, 'linger'])).code).toBe(7);
  });

  test('a reader that goes away does not crash it', async () => {
    const outcome = await execute(process.execPath, [program, 'flood'], (child) => child.stdout?.destroy());
    expect([outcome.code, outcome.stderr]).toEqual([3, 'done']);
  });

  test.runIf(process.platform === 'linux')('SIGUSR1 ends it and opens no debugger', async () => {
    const child = spawn(process.execPath, [program, 'read'], { stdio: 'pipe' });
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdout.once('data', () => child.kill('SIGUSR1'));
    const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)));
    expect([signal, err]).toEqual(['SIGUSR1', '']);
  });

  test.runIf(process.platform === 'linux')(
    'a folder as standard input is an error, not its end',
    async () => {
      const script = join(folder, 'read-folder.sh');
      await writeFile(script, 'exec "$1" "$2" read < "$3"\n');
      const reading = (file: string) => execute('sh', [script, process.execPath, program, file]);
      expect(String((await reading(folder)).stdout)).toBe('readyEISDIR');
      expect(String((await reading('/dev/null')).stdout)).toBe('readyend');
      expect(String((await reading(script)).stdout)).toBe('readyend');
    },
  );

  test.runIf(process.platform === 'linux')(
    'a write that a file takes in part has failed, and one that it takes whole has not',
    async () => {
      const script = join(folder, 'print.sh');
      await writeFile(script, 'ulimit -f "$3" && exec "$1" "$2" print > "$0.out"\n');
      const printing = (blocks: string) => execute('sh', [script, process.execPath, program, blocks]);
      expect((await printing('8')).stderr).toBe('EFBIG');
      expect((await printing('unlimited')).stderr).toBe('undefined');
      expect((await stat(`${script}.out`)).size).toBe(100_000);
    },
  );

  test('a bug in the program is one error and exit 1', async () => {
    const outcome = await execute(process.execPath, [program, 'throw']);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^Error: unexpected failure, please report it: Error: boom/);
  });

  test('is called what it was invoked as (§1.2)', async () => {
    const link = join(folder, 'mosquitto_sub');
    await symlink(program, link);
    expect((await execute(process.execPath, [link, 'name'])).stdout.toString()).toBe('mosquitto_sub');
    expect((await execute(process.execPath, [program, 'name'])).stdout.toString()).toBe('program');
  });

  test.runIf(process.platform === 'linux')('passes bytes that are not UTF-8', async () => {
    // Only a shell can hand over such an argument: Node encodes what it spawns with.
    const script = join(folder, 'call.sh');
    await writeFile(script, `exec "$1" "$2" echo "$(printf 'a\\377b')"\n`);
    const outcome = await execute('sh', [script, process.execPath, program]);
    expect(outcome.stdout).toEqual(Buffer.from('a\xffb', 'latin1'));
  });
});
