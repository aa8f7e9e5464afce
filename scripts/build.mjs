// Builds everything: the libraries (tsc -b, to packages/*/dist/lib) and the programs (esbuild, to
// packages/*/dist/bin). `--programs` builds only the programs, `--sizes` prints what went into them.
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './bundle.mjs';
import { writeCodeCaches } from './code-cache.mjs';
import { root, run, tool } from './steps.mjs';

/** Which package each program lives in. The package `tsmqtt` gets all of them. */
export const programs = {
  'tsmqtt-pub': 'pub',
  'tsmqtt-sub': 'sub',
  'tsmqtt-rr': 'rr',
  'tsmqtt-passwd': 'passwd',
  'tsmqtt-broker': 'broker',
};

/** Packages with a library. */
const packages = ['protocol', 'client', 'credentials', 'broker', 'cli-kit', 'pub', 'sub', 'rr', 'passwd'];

/** What runs in worker threads, and the programs that verify or compute passwords and so may start it. */
const credentialsWorker = path.join(root, 'packages', 'credentials', 'src', 'credentials-worker.ts');
const programsWithPasswords = new Set(['tsmqtt-passwd', 'tsmqtt-broker']);

export function programFile(name) {
  return path.join(root, 'packages', programs[name], 'dist', 'bin', name);
}

/** Bundles every program. Answers name, files and npm packages of each. */
export async function buildPrograms() {
  const names = Object.keys(programs);
  const built = await Promise.all(names.map(buildProgram));
  await writeCodeCaches(Object.fromEntries(names.map((name) => [name, path.dirname(programFile(name))])));
  await replaceFolder(path.join(root, 'packages', 'tsmqtt', 'dist', 'bin'), async (outdir) => {
    for (const { name } of built) await cp(path.dirname(programFile(name)), outdir, { recursive: true });
    const allPackages = new Map(built.flatMap(({ packages }) => [...packages]));
    await writeFile(path.join(outdir, 'THIRD-PARTY-LICENSES'), await licences(allPackages));
  });
  return built;
}

async function buildProgram(name) {
  const packageDir = path.join(root, 'packages', programs[name]);
  const entry = path.join(packageDir, 'src', 'bin', `${name}.ts`);
  const workers = programsWithPasswords.has(name) ? { 'credentials-worker': credentialsWorker } : {};
  return replaceFolder(path.join(packageDir, 'dist', 'bin'), async (outdir) => {
    // The packages are ES modules, their programs are not.
    await writeFile(path.join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
    const { files, packages } = await bundleProgram({ name, entry, outdir, workers });
    await writeFile(path.join(outdir, 'THIRD-PARTY-LICENSES'), await licences(packages));
    return { name, files, packages };
  });
}

/** Fills a new folder and puts it in the place of the old one, so that a failed build leaves the programs as they were. */
async function replaceFolder(folder, fill) {
  const fresh = `${folder}-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    const result = await fill(fresh);
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return result;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** The licences of the npm packages whose code is in a program, which they ask to be kept with it. */
async function licences(packages) {
  const parts = [];
  for (const [name, folder] of [...packages].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(path.join(folder, file), 'utf8') : `Licence: ${license}\n`;
    parts.push(`${name} ${version}\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}

function printSizes(built) {
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
  for (const { name, files } of built) {
    console.log(`${name}: ${kib(files[0].bytes)} at start`);
    for (const { file, bytes } of files.slice(1).sort((a, b) => b.bytes - a.bytes)) {
      console.log(`  ${file.padEnd(28)} ${kib(bytes).padStart(10)}`);
    }
  }
}

async function main() {
  let built;
  try {
    built = await buildPrograms();
  } catch (error) {
    // esbuild has already shown where; what is left to say is that there are no programs now.
    console.error(`Error: ${error.message.split('\n')[0]}`);
    return 1;
  }
  if (process.argv.includes('--sizes')) printSizes(built);
  if (process.argv.includes('--programs')) return 0;
  const projects = packages.map((name) => `packages/${name}`);
  return run(process.execPath, [tool('typescript', 'tsc'), '-b', ...projects]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
