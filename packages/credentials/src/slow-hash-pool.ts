import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SlowHashAnswer } from './credentials-worker.js';
import { computeSlowHash, type SlowHashJob } from './slow-hash.js';
import { findWorkerFile } from './worker-file.js';

/** Hashes that may be computed at the same time: one core stays with the event loop (broker B-12). */
export const HASH_CONCURRENCY = Math.max(1, availableParallelism() - 1);

/** An idle worker ends after this time, because argon2id leaves 47 MiB behind in it. Milliseconds. */
const IDLE_LIMIT = 5_000;

interface PendingJob {
  readonly job: SlowHashJob;
  readonly resolve: (digest: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

interface PoolWorker {
  readonly thread: Worker;
  current: PendingJob | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

/** Threads that compute slow hashes, started when there is work and ended when there has been none for a while. */
export class SlowHashPool {
  /** The worker's program. */
  readonly file: string;
  /** Most threads. Those that are too many after a change end when they have been idle. */
  concurrency: number;
  private readonly workers = new Set<PoolWorker>();
  private readonly waiting: PendingJob[] = [];
  /** The worker's program itself, where it needs nothing else; undefined: every thread reads the file. */
  private program: string | undefined;
  private keepsOne = false;

  constructor(file: string, concurrency = HASH_CONCURRENCY) {
    this.file = file;
    this.concurrency = concurrency;
  }

  /** Computes a job in a thread. Rejects where it cannot be computed. Callers bound the number of waiting jobs. */
  run(job: SlowHashJob): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject });
      const idle = [...this.workers].find((worker) => worker.current === undefined);
      if (idle !== undefined) this.takeNext(idle);
      else if (this.workers.size < this.concurrency) this.takeNext(this.start());
    });
  }

  /**
   * From here on no thread needs the file: a bundled worker is kept as text. Of a compiled one, which has its
   * dependencies elsewhere, one thread that has loaded them is kept, and it stays the only one.
   */
  async prepare(): Promise<void> {
    if (this.file.endsWith('.cjs')) {
      this.program ??= readFileSync(this.file, 'utf8');
      return;
    }
    this.keepsOne = true;
    this.concurrency = 1;
    await this.run({ algorithm: 'none' });
  }

  private start(): PoolWorker {
    const { file, program } = this;
    const thread = program === undefined ? new Worker(file) : new Worker(program, { eval: true });
    const worker: PoolWorker = { thread, current: undefined, idleTimer: undefined };
    this.workers.add(worker);
    worker.thread.on('message', (answer: SlowHashAnswer) => {
      const { current } = worker;
      worker.current = undefined;
      if ('error' in answer) current?.reject(new Error(answer.error));
      else current?.resolve(answer.digest);
      this.takeNext(worker);
    });
    worker.thread.on('error', (error) => this.retire(worker, error));
    worker.thread.on('exit', () => this.retire(worker, new Error('the hashing thread has ended')));
    return worker;
  }

  // A worker keeps the process alive only while it works.
  private takeNext(worker: PoolWorker): void {
    clearTimeout(worker.idleTimer);
    worker.current = this.waiting.shift();
    if (worker.current === undefined) {
      worker.thread.unref();
      worker.idleTimer = setTimeout(() => this.endIdle(worker), IDLE_LIMIT).unref();
      return;
    }
    worker.thread.ref();
    worker.thread.postMessage(ownCopy(worker.current.job));
  }

  private endIdle(worker: PoolWorker): void {
    if (this.keepsOne && this.workers.size === 1) return;
    this.workers.delete(worker);
    void worker.thread.terminate();
  }

  // What waits behind a worker that died gets another one; only the job that it had is lost.
  private retire(worker: PoolWorker, error: Error): void {
    if (!this.workers.delete(worker)) return;
    clearTimeout(worker.idleTimer);
    worker.current?.reject(error);
    worker.current = undefined;
    if (this.waiting.length > 0) this.takeNext(this.start());
  }
}

let pool: SlowHashPool | undefined;
let concurrency = HASH_CONCURRENCY;

/**
 * How many threads compute slow hashes from now on; default `HASH_CONCURRENCY`. For a program that has nothing else to
 * do than to hash many passwords.
 *
 * @throws RangeError for anything but a whole number from 1 on.
 */
export function setHashConcurrency(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1) throw new RangeError(`no number of threads: ${threads}`);
  concurrency = threads;
  if (pool !== undefined) pool.concurrency = threads;
}

/**
 * Computes a job in a worker thread, as many at a time as `setHashConcurrency` allows; on the calling thread where there is no
 * worker file.
 *
 * @throws Error where the job cannot be computed, such as too little memory.
 */
export function runSlowHash(job: SlowHashJob): Promise<Uint8Array> {
  return currentPool()?.run(job) ?? computeSlowHash(job);
}

/**
 * Loads now what bcrypt and argon2id need, and keeps it: for a process that gives up privileges and may not be able to
 * read its own program afterwards (broker B-13). Without this, it is loaded at the first such hash.
 *
 * @throws Error where it cannot be loaded.
 */
export async function prepareSlowHashes(): Promise<void> {
  await (currentPool()?.prepare() ?? computeSlowHash({ algorithm: 'none' }));
}

function currentPool(): SlowHashPool | undefined {
  const file = findWorkerFile();
  if (file === undefined) return undefined;
  if (pool?.file !== file) pool = new SlowHashPool(file, concurrency);
  return pool;
}

// A posted view takes its whole underlying buffer along: everything else that the socket had read.
function ownCopy(job: SlowHashJob): SlowHashJob {
  switch (job.algorithm) {
    case 'none':
      return job;
    case 'bcrypt':
      return { ...job, password: new Uint8Array(job.password) };
    case 'argon2id':
      return { ...job, password: new Uint8Array(job.password), salt: new Uint8Array(job.salt) };
  }
}
