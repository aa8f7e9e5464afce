// What start, test and check share. Only Node's own modules: this runs before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The file behind an installed tool, so that no shell and no PATH is needed to run it. */
export function tool(packageName, bin) {
  const folder = path.join(root, 'node_modules', packageName);
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  return path.join(folder, file);
}

/** Runs one program in the root with our streams; resolves to its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.on('error', (error) => {
      console.error(`Error: cannot run ${command}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** The same under a headline, with the time it took. */
export async function runStep(title, command, args, options) {
  console.log(`\n> ${title}`);
  const started = Date.now();
  const code = await run(command, args, options);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(
    code === 0 ? `  ${title}: ok, ${seconds} s` : `  ${title}: FAILED (exit ${code}), ${seconds} s`,
  );
  return code;
}

/**
 * Installs what pnpm-lock.yaml names, with the pnpm that `packageManager` pins, fetched by npx: npm is all that
 * is needed. Does nothing where the last install was from this very lockfile.
 */
export async function install() {
  if (isInstalled()) return 0;
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  return runStep(
    `install (${packageManager})`,
    npx,
    ['--yes', packageManager, 'install', '--frozen-lockfile'],
    {
      shell: process.platform === 'win32',
    },
  );
}

function isInstalled() {
  const wanted = path.join(root, 'pnpm-lock.yaml');
  const installed = path.join(root, 'node_modules', '.pnpm', 'lock.yaml');
  // pnpm writes .modules.yaml last: without it the install was broken off.
  if (!existsSync(path.join(root, 'node_modules', '.modules.yaml')) || !existsSync(installed)) return false;
  return readFileSync(wanted).equals(readFileSync(installed));
}
