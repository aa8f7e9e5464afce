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

const workers = new Set<PoolWorker>();
const waiting: PendingJob[] = [];

/**
 * Computes a job in a worker thread, at most `HASH_CONCURRENCY` at a time; on the calling thread where there is no
 * worker file. Callers bound the number of waiting jobs.
 *
 * @throws Error where the job cannot be computed, such as too little memory.
 */
export function runSlowHash(job: SlowHashJob): Promise<Uint8Array> {
  const file = findWorkerFile();
  if (file === undefined) return computeSlowHash(job);
  return new Promise((resolve, reject) => {
    waiting.push({ job, resolve, reject });
    const idle = [...workers].find((worker) => worker.current === undefined);
    if (idle !== undefined) takeNext(idle);
    else if (workers.size < HASH_CONCURRENCY) takeNext(startWorker(file));
  });
}

function startWorker(file: string): PoolWorker {
  const worker: PoolWorker = { thread: new Worker(file), current: undefined, idleTimer: undefined };
  workers.add(worker);
  worker.thread.on('message', (answer: SlowHashAnswer) => {
    const { current } = worker;
    worker.current = undefined;
    if ('error' in answer) current?.reject(new Error(answer.error));
    else current?.resolve(answer.digest);
    takeNext(worker);
  });
  worker.thread.on('error', (error) => retire(worker, error));
  worker.thread.on('exit', () => retire(worker, new Error('the hashing thread has ended')));
  return worker;
}

// A worker keeps the process alive only while it works.
function takeNext(worker: PoolWorker): void {
  clearTimeout(worker.idleTimer);
  worker.current = waiting.shift();
  if (worker.current === undefined) {
    worker.thread.unref();
    worker.idleTimer = setTimeout(() => void worker.thread.terminate(), IDLE_LIMIT).unref();
    return;
  }
  worker.thread.ref();
  worker.thread.postMessage(ownCopy(worker.current.job));
}

// A posted view takes its whole underlying buffer along: everything else that the socket had read.
function ownCopy(job: SlowHashJob): SlowHashJob {
  const password = new Uint8Array(job.password);
  return job.algorithm === 'bcrypt'
    ? { ...job, password }
    : { ...job, password, salt: new Uint8Array(job.salt) };
}

// What waits behind a worker that died gets another one; only the job that it had is lost.
function retire(worker: PoolWorker, error: Error): void {
  if (!workers.delete(worker)) return;
  clearTimeout(worker.idleTimer);
  worker.current?.reject(error);
  worker.current = undefined;
  const file = findWorkerFile();
  if (waiting.length > 0 && file !== undefined) takeNext(startWorker(file));
}
