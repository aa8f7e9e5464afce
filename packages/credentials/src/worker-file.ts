import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Name of the bundled worker, and of the one that the compiler writes for library users. */
const WORKER_NAMES = ['credentials-worker.cjs', 'credentials-worker.js'];

declare const __filename: string | undefined;

let configured: string | undefined;
/** Looked for once: a process that has given up privileges may not even be able to look (broker B-13). */
let found: string | undefined;

/**
 * Names the worker file to use, for a program that keeps it elsewhere than beside its own bundle. `undefined` goes back
 * to looking for it. Workers that already run are not affected.
 */
export function setWorkerFile(path: string | undefined): void {
  configured = path;
}

/**
 * Path of the worker file: the configured one, or the one beside the file that this code was bundled or compiled into.
 * `undefined` where there is none, as in TypeScript sources: then the hashes are computed on the calling thread.
 */
export function findWorkerFile(): string | undefined {
  if (configured !== undefined) return configured;
  const here = ownFile();
  if (here === undefined) return undefined;
  found ??= WORKER_NAMES.map((name) => join(dirname(here), name)).find((path) => existsSync(path));
  return found;
}

// A CommonJS bundle has `__filename`; there `import.meta.url` is whatever the build defines, or nothing at all.
function ownFile(): string | undefined {
  if (typeof __filename === 'string') return __filename;
  const url: string | undefined = import.meta.url;
  return url?.startsWith('file:') ? fileURLToPath(url) : undefined;
}
