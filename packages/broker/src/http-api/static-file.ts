import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import path from 'node:path';

/** A file that is to be sent. */
export interface StaticFile {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
}

const INDEX = 'index.html';

// biome-ignore format: one row a line
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css':   'text/css; charset=utf-8',
  '.gif':   'image/gif',
  '.htm':   'text/html; charset=utf-8',
  '.html':  'text/html; charset=utf-8',
  '.ico':   'image/x-icon',
  '.jpeg':  'image/jpeg',
  '.jpg':   'image/jpeg',
  '.js':    'text/javascript; charset=utf-8',
  '.json':  'application/json',
  '.map':   'application/json',
  '.mjs':   'text/javascript; charset=utf-8',
  '.png':   'image/png',
  '.svg':   'image/svg+xml',
  '.txt':   'text/plain; charset=utf-8',
  '.wasm':  'application/wasm',
  '.webp':  'image/webp',
  '.woff2': 'font/woff2',
  '.xml':   'application/xml',
};

/**
 * Opens the file that a path names below a folder (broker §10.5). Symbolic links may lead anywhere inside of it.
 *
 * @param requested as `requestPath` gives it.
 * @returns undefined where there is no such file, or it is a folder, or it is outside.
 */
export async function openStaticFile(folder: string, requested: string): Promise<StaticFile | undefined> {
  let handle: FileHandle | undefined;
  try {
    const root = await realpath(folder);
    const file = await realpath(path.join(root, requested === '/' ? INDEX : requested));
    // With the separator: `/www-private` is not inside of `/www`.
    if (!file.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) return undefined;
    // Nobody waits for the other end of a FIFO.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
    const stats = await handle.stat();
    if (stats.isFile()) {
      const contentType = CONTENT_TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream';
      return { handle, size: stats.size, contentType };
    }
  } catch (error) {
    await handle?.close();
    if (isAbsence(error)) return undefined;
    throw error;
  }
  await handle.close();
  return undefined;
}

const ABSENCES = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
  'ENAMETOOLONG',
  'ENXIO',
]);

function isAbsence(error: unknown): boolean {
  return ABSENCES.has((error as NodeJS.ErrnoException).code ?? '');
}
