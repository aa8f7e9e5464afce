import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder that holds the whole workspace. */
export const workspaceRoot = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
