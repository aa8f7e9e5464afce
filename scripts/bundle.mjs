// Bundles one program: an entry named like the program, and beside it a folder of CommonJS chunks of which
// `main.cjs` is loaded at once and every `import()` is a chunk of its own, loaded when it is reached.
//
// Two passes, because esbuild splits only ES modules and Node starts CommonJS faster (docs/decisions/0002):
//   1. split into ES modules, so that every source file is in exactly one output (one copy of each class and table);
//   2. turn each output into CommonJS. Outputs that `main` loads anyway are folded into it, and the lazy chunks
//      take what they share with it from there.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { entrySource } from './code-cache.mjs';
import { root } from './steps.mjs';

const common = {
  bundle: true,
  // esbuild calls CommonJS files of packages by their path from here, and stack traces show that.
  absWorkingDir: root,
  platform: 'node',
  target: 'node20',
  // Read as Latin-1 by the entry (scripts/code-cache.mjs).
  charset: 'ascii',
  legalComments: 'none',
  // Names are kept: they stand in stack traces, and shorter ones do not start measurably faster.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
};

/** What `import.meta.url` becomes in a CommonJS chunk; yargs and worker look-ups read it. */
const metaUrl = 'const __metaUrl=require("node:url").pathToFileURL(__filename).href;';

/**
 * Writes `<outdir>/<name>` and `<outdir>/chunks/<name>/*.cjs`. `workers` maps names of worker files to their entries:
 * each is one file that needs no other, beside the chunks, where the code that was bundled looks for it.
 * Returns the bytes of each chunk, `main.cjs` first, and the folders of the npm packages whose code is in them.
 */
export async function bundleProgram({ name, entry, outdir, workers = {} }) {
  const chunkDir = path.join(outdir, 'chunks', name);
  await rm(chunkDir, { recursive: true, force: true });
  const { files, packages } = await bundleEntry(entry, chunkDir);
  for (const [worker, workerEntry] of Object.entries(workers)) {
    const outfile = path.join(chunkDir, `${worker}.cjs`);
    const { metafile } = await build({
      ...common,
      entryPoints: [workerEntry],
      outfile,
      format: 'cjs',
      conditions: ['@tsmqtt/source'],
      mainFields: ['module', 'main'],
      metafile: true,
    });
    files.push({ file: `${worker}.cjs`, bytes: Object.values(metafile.outputs)[0].bytes });
    for (const [name, folder] of packagesOf(metafile)) packages.set(name, folder);
  }
  const program = path.join(outdir, name);
  await writeFile(program, entrySource(name));
  await chmod(program, 0o755);
  return { files, packages };
}

/** Both passes for one entry: `<chunkDir>/main.cjs` and its lazy chunks. */
async function bundleEntry(entry, chunkDir) {
  const stage = await mkdtemp(path.join(tmpdir(), 'tsmqtt-build-'));
  try {
    const split = await splitIntoModules(entry, stage);
    await mkdir(chunkDir, { recursive: true });
    return { files: await writeCommonJs({ split, stage, chunkDir }), packages: split.packages };
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Pass 1. Every output is an ES module in `stage`; `fixed` are the ones `main.js` loads before it runs. */
async function splitIntoModules(entry, stage) {
  const { metafile } = await build({
    ...common,
    entryPoints: { main: entry },
    outdir: stage,
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    // Straight from the TypeScript sources of the workspace's packages.
    conditions: ['@tsmqtt/source'],
    // Only ES modules can be split by name and lose what is not used.
    mainFields: ['module', 'main'],
    metafile: true,
  });
  for (const { entryPoint } of Object.values(metafile.outputs)) {
    if (metafile.inputs[entryPoint]?.format === 'cjs') {
      throw new Error(`import() of the CommonJS file ${entryPoint} would give only its default export`);
    }
  }
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([file, output]) => [path.basename(file), output]),
  );
  const fixed = new Set();
  const visit = (file) => {
    if (fixed.has(file)) return;
    fixed.add(file);
    for (const imported of outputs.get(file).imports) {
      if (imported.kind === 'import-statement' && !imported.external) visit(path.basename(imported.path));
    }
  };
  visit('main.js');
  return { outputs, fixed, packages: packagesOf(metafile) };
}

/** Pass 2. */
async function writeCommonJs({ split, stage, chunkDir }) {
  const { outputs, fixed } = split;
  const lazy = [...outputs.keys()].filter((file) => !fixed.has(file));
  const shared = [...fixed].filter(
    (file) => file !== 'main.js' && lazy.some((chunk) => importsOf(outputs.get(chunk)).includes(file)),
  );
  const convert = async (file, contents, usesMetaUrl) => {
    const outfile = path.join(chunkDir, chunkFile(file, outputs));
    const result = await build({
      ...common,
      stdin: { contents, resolveDir: stage, sourcefile: file, loader: 'js' },
      format: 'cjs',
      outfile,
      // Turns `import()` into `require()` behind a promise.
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': '__metaUrl' },
      banner: usesMetaUrl ? { js: metaUrl } : {},
      plugins: [linkChunks({ file, split, shared })],
      metafile: true,
    });
    return { file: path.basename(outfile), bytes: Object.values(result.metafile.outputs)[0].bytes };
  };
  const source = (file) => readFile(path.join(stage, file), 'utf8');
  const asksUrl = (text) => text.includes('import.meta.url');
  const reexports = shareOnDemand(shared, outputs);
  const inMain = await Promise.all([...fixed].map(source));
  const files = [await convert('main.js', `${inMain[0]}\n${reexports}`, inMain.some(asksUrl))];
  await wrap(path.join(chunkDir, files[0].file));
  for (const file of lazy) {
    const text = await source(file);
    files.push(await convert(file, text, asksUrl(text)));
  }
  const names = files.map(({ file }) => file);
  const twice = names.find((file, index) => names.indexOf(file) !== index);
  if (twice) throw new Error(`two chunks of one program would be called ${twice}`);
  return files;
}

/** Makes a CommonJS file the function that Node makes of it when it is required: the entry calls that. */
async function wrap(file) {
  const text = await readFile(file, 'utf8');
  await writeFile(file, `(function (exports, require, module, __filename, __dirname) { ${text}\n});\n`);
}

/** Decides for every import between outputs: folded in, a chunk of its own, or a part of `main.cjs`. */
function linkChunks({ file, split, shared }) {
  const { outputs, fixed } = split;
  return {
    name: 'link-chunks',
    setup(pass) {
      pass.onResolve({ filter: /^\.\/[^/]+\.js$/ }, ({ path: imported, kind }) => {
        const target = path.basename(imported);
        if (!outputs.has(target)) return undefined;
        if (fixed.has(target)) {
          if (file === 'main.js') return undefined;
          return { path: target, namespace: 'in-main' };
        }
        if (kind !== 'dynamic-import' && file === 'main.js') {
          throw new Error(`${target} is loaded by main and yet not part of it`);
        }
        return { path: `./${chunkFile(target, outputs)}`, external: true };
      });
      pass.onLoad({ filter: /.*/, namespace: 'in-main' }, ({ path: target }) => {
        if (!shared.includes(target)) throw new Error(`${file} needs ${target}, which main does not share`);
        return {
          contents: `module.exports=require('./main.cjs').shared(${JSON.stringify(target)});`,
          loader: 'js',
        };
      });
      pass.onResolve({ filter: /^\.\/main\.cjs$/ }, () => ({ path: './main.cjs', external: true }));
    },
  };
}

function importsOf(output) {
  return output.imports
    .filter((imported) => !imported.external)
    .map((imported) => path.basename(imported.path));
}

/**
 * What `main.js` gives to lazy chunks: `shared(file)` answers the exports of an output that was folded into it. A function,
 * because namespaces with a getter for each name would be made at every start, and few starts load a chunk.
 */
function shareOnDemand(files, outputs) {
  const local = (file, name) => `${name}_of_${path.basename(file, '.js').replaceAll(/[^A-Za-z0-9]/g, '_')}`;
  const imports = files.map((file) => {
    const names = outputs.get(file).exports.map((name) => `${name} as ${local(file, name)}`);
    return `import { ${names.join(', ')} } from './${file}';`;
  });
  const parts = files.map((file) => {
    const names = outputs.get(file).exports.map((name) => `${name}: ${local(file, name)}`);
    return `${JSON.stringify(file)}: () => ({ ${names.join(', ')} })`;
  });
  return [...imports, `export function shared(file) { return { ${parts.join(', ')} }[file](); }`].join('\n');
}

/** `help.cjs` for src/help.ts, `broker.cjs` for packages/broker/src/index.ts, `ora.cjs` for the package ora. */
function chunkFile(file, outputs) {
  const { entryPoint } = outputs.get(file);
  const own = file === 'main.js' || entryPoint === undefined;
  if (own) return `${path.basename(file, '.js')}.cjs`;
  const dependency = packageOf(entryPoint);
  if (dependency) return `${dependency.replace('/', '-').replace('@', '')}.cjs`;
  const bare = path.basename(entryPoint).replace(/\.[^.]+$/, '');
  return `${bare === 'index' ? path.basename(path.dirname(path.dirname(entryPoint))) : bare}.cjs`;
}

/** The npm package that a file belongs to, if any. */
function packageOf(file) {
  return packagePath.exec(file)?.[2];
}

const packagePath = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//;

/** The npm packages whose code is in the bundle: folders by name. */
function packagesOf(metafile) {
  const folders = new Map();
  for (const input of Object.keys(metafile.inputs)) {
    const [, folder, name] = packagePath.exec(input) ?? [];
    if (name) folders.set(name, path.resolve(root, folder));
  }
  return folders;
}
