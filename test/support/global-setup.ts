import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { programFile, programNames } from './programs.js';
import { workspaceRoot } from './workspace.js';

/** Builds the programs unless they are newer than every source. */
export function setup(): void {
  const built = programNames.map(programFile);
  const oldest = Math.min(...built.map((file) => (existsSync(file) ? statSync(file).mtimeMs : 0)));
  if (oldest > newestSource()) return;
  execFileSync(process.execPath, [path.join(workspaceRoot, 'scripts', 'build.mjs'), '--programs'], {
    stdio: 'inherit',
  });
}

function newestSource(): number {
  const packages = path.join(workspaceRoot, 'packages');
  let newest = 0;
  for (const name of readdirSync(packages)) {
    const sources = path.join(packages, name, 'src');
    if (!existsSync(sources)) continue;
    for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.ts') && !file.endsWith('.test.ts')) {
        newest = Math.max(newest, statSync(path.join(sources, file)).mtimeMs);
      }
    }
  }
  return newest;
}
