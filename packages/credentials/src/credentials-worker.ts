/** Thread that computes slow hashes; the bundler puts it beside each program as `credentials-worker.cjs`. */
import { parentPort } from 'node:worker_threads';
import { computeSlowHash, type SlowHashJob } from './slow-hash.js';

/** Answer to one job. */
export type SlowHashAnswer = { readonly digest: Uint8Array } | { readonly error: string };

parentPort?.on('message', async (job: SlowHashJob) => {
  let answer: SlowHashAnswer;
  try {
    answer = { digest: await computeSlowHash(job) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer);
});
