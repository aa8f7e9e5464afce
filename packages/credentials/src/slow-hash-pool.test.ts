import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { hashPassword, verifyPassword } from './hash-password.js';
import { parsePasswordHash } from './password-hash.js';
import { computeSlowHash } from './slow-hash.js';
import {
  HASH_CONCURRENCY,
  prepareSlowHashes,
  runSlowHash,
  SlowHashPool,
  setHashConcurrency,
} from './slow-hash-pool.js';
import { setWorkerFile } from './worker-file.js';

const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
const workerFile = join(folder, 'credentials-worker.cjs');

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL('credentials-worker.ts', import.meta.url))],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
});

afterEach(() => setWorkerFile(undefined));
afterAll(() => rmSync(folder, { recursive: true }));

const argon2id = {
  algorithm: 'argon2id',
  password: Buffer.from('p'),
  salt: Buffer.alloc(16, 1),
  memory: 64,
  passes: 1,
  lanes: 1,
  length: 32,
} as const;
const bcrypt = {
  algorithm: 'bcrypt',
  password: Buffer.from('U*U'),
  setting: '$2b$05$CCCCCCCCCCCCCCCCCCCCC.',
} as const;

test('a thread computes what the calling thread computes', async () => {
  const here = await Promise.all([runSlowHash(argon2id), runSlowHash(bcrypt)]);
  setWorkerFile(workerFile);
  const there = await Promise.all([runSlowHash(argon2id), runSlowHash(bcrypt)]);
  expect(there.map((bytes) => Buffer.from(bytes))).toEqual(here.map((bytes) => Buffer.from(bytes)));
  expect(Buffer.from(there[1]!).toString()).toBe('E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
});

test('more jobs than threads: each gets its own answer', async () => {
  const pool = new SlowHashPool(workerFile, 2);
  const jobs = Array.from({ length: 20 }, (_, index) => ({
    ...argon2id,
    password: Buffer.from(`p${index}`),
  }));
  const digests = await Promise.all(jobs.map((job) => pool.run(job)));
  const expected = await Promise.all(jobs.map((job) => computeSlowHash(job)));
  expect(digests.map((bytes) => Buffer.from(bytes))).toEqual(expected.map((bytes) => Buffer.from(bytes)));
});

test.each(['argon2id', 'bcrypt'] as const)('the event loop turns while %s is computed', async (kind) => {
  setWorkerFile(workerFile);
  const hash = parsePasswordHash(await hashPassword(Buffer.from('p'), { kind }))!;
  let turns = 0;
  let done = false;
  const turn = () => {
    turns += 1;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  expect(await verifyPassword(Buffer.from('p'), hash)).toBe(true);
  done = true;
  // On this thread either of them would let it turn a few times, before, between and after.
  expect(turns).toBeGreaterThan(50);
});

test('as many threads as a program asks for', async () => {
  const marker = join(folder, 'thread-id.cjs');
  writeFileSync(
    marker,
    "const { parentPort, threadId } = require('node:worker_threads');" +
      "parentPort.on('message', () => parentPort.postMessage({ digest: Uint8Array.of(threadId) }));",
  );
  setWorkerFile(marker);
  const threads = async () =>
    new Set((await Promise.all(Array(9).fill(bcrypt).map(runSlowHash))).map(String));
  setHashConcurrency(1);
  try {
    expect((await threads()).size).toBe(1);
    setHashConcurrency(3);
    expect((await threads()).size).toBe(3);
  } finally {
    setHashConcurrency(HASH_CONCURRENCY);
  }
  for (const wrong of [0, 1.5, Number.NaN]) expect(() => setHashConcurrency(wrong)).toThrow(RangeError);
});

test('a thread gets the password and nothing of what stood beside it in memory', async () => {
  const echo = join(folder, 'echo.cjs');
  writeFileSync(
    echo,
    "const { parentPort } = require('node:worker_threads');" +
      "parentPort.on('message', (job) => parentPort.postMessage({ digest: new Uint8Array(job.password.buffer) }));",
  );
  const secretive = Buffer.from('other people: p').subarray(-1);
  const seen = await new SlowHashPool(echo, 1).run({ ...bcrypt, password: secretive });
  expect(Buffer.from(seen).toString()).toBe('p');
});

test('a job that cannot be computed is an error, and the thread goes on', async () => {
  const pool = new SlowHashPool(workerFile, 1);
  const answers = await Promise.allSettled([
    pool.run({ ...argon2id, password: new Uint8Array() }),
    pool.run(argon2id),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('a thread that dies costs its own job; the next gets another thread', async () => {
  const dying = join(folder, 'dying.cjs');
  writeFileSync(
    dying,
    "const { parentPort } = require('node:worker_threads');" +
      "parentPort.on('message', (job) => job.setting === 'die' ? process.exit(1) : parentPort.postMessage({ digest: job.password }));",
  );
  const pool = new SlowHashPool(dying, 1);
  const answers = await Promise.allSettled([pool.run({ ...bcrypt, setting: 'die' }), pool.run(bcrypt)]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('a worker file that does not exist is an error of each job', async () => {
  const pool = new SlowHashPool(join(folder, 'missing.cjs'), 1);
  const answers = await Promise.allSettled([pool.run(bcrypt), pool.run(bcrypt)]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('what is prepared works after its files are gone', async () => {
  const moving = join(folder, 'moving.cjs');
  cpSync(workerFile, moving);
  const pool = new SlowHashPool(moving, 2);
  await pool.prepare();
  rmSync(moving);
  const [digest, ...others] = await Promise.all([
    pool.run(bcrypt),
    pool.run(argon2id),
    pool.run({ ...bcrypt, setting: 'die' }).catch(() => new Uint8Array(32)),
    pool.run(argon2id),
  ]);
  expect(Buffer.from(digest!).toString()).toBe('E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
  expect(others.map(({ length }) => length)).toEqual([32, 32, 32]);
});

test('preparing fails where there is nothing to load', async () => {
  setWorkerFile(join(folder, 'missing.cjs'));
  await expect(prepareSlowHashes()).rejects.toThrow('missing.cjs');
});
