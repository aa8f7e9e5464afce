// Runs a load generator beside a broker and answers what it measured.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { root } from '../../scripts/steps.mjs';

const LIMIT_MS = 300_000;

export function load(name, options) {
  const file = path.join(root, 'bench', 'load', `${name}.mjs`);
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [file, JSON.stringify(options)],
      { timeout: LIMIT_MS },
      (error, stdout, stderr) => {
        if (error) reject(new Error(stderr.trim().split('\n').at(-1) || error.message));
        else resolve(JSON.parse(stdout));
      },
    );
  });
}
