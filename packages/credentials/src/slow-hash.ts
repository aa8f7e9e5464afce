/**
 * The two hashes that Node does not have itself. They take a tenth of a second or more of one core, so the thread that
 * runs them should have nothing else to do; `slow-hash-pool.ts` sees to that. The libraries load at the first use.
 */

/** What to compute: plain data, so that it can be handed to another thread. */
export type SlowHashJob =
  | {
      readonly algorithm: 'argon2id';
      readonly password: Uint8Array;
      readonly salt: Uint8Array;
      /** KiB. */
      readonly memory: number;
      readonly passes: number;
      readonly lanes: number;
      /** Bytes of the digest. */
      readonly length: number;
    }
  | {
      readonly algorithm: 'bcrypt';
      /** UTF-8 without NUL; bcrypt uses its first 72 bytes. */
      readonly password: Uint8Array;
      /** Version, cost and salt, 29 characters. */
      readonly setting: string;
    }
  /** Computes nothing, but loads what the others need. */
  | { readonly algorithm: 'none' };

/** Computes a job on this thread: the argon2id digest, the 31 characters of a bcrypt digest, or nothing. */
export async function computeSlowHash(job: SlowHashJob): Promise<Uint8Array> {
  if (job.algorithm === 'bcrypt') {
    const bcrypt = await import('bcryptjs');
    const text = await bcrypt.hash(Buffer.from(job.password).toString('utf8'), job.setting);
    return Buffer.from(text.slice(job.setting.length), 'latin1');
  }
  if (job.algorithm === 'none') {
    await Promise.all([import('bcryptjs'), import('hash-wasm')]);
    return new Uint8Array();
  }
  const { argon2id } = await import('hash-wasm');
  return argon2id({
    password: job.password,
    salt: job.salt,
    memorySize: job.memory,
    iterations: job.passes,
    parallelism: job.lanes,
    hashLength: job.length,
    outputType: 'binary',
  });
}
