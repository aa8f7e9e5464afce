// The entry of a program, and the compiled code that stands beside its `main.cjs`.
//
// Compiling takes about half of what a program adds to the start of Node itself. V8 can keep the result: it checks
// that the cache is from its own version and flags and for this source, and compiles as usual where it is not. So a
// missing or foreign cache costs nothing but the reading.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** How long the whole warm-up may take. */
const LIMIT_MS = 20_000;

/**
 * Runs `chunks/<name>/main.cjs` as `require` would, but compiled from its cache. The bundle is ASCII, so that Latin-1
 * needs no decoding, and is wrapped already (scripts/bundle.mjs): joining the parts here would copy all of it.
 */
export function entrySource(name) {
  return `#!/usr/bin/env node
'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const folder = __dirname + '/chunks/${name}';
const filename = folder + '/main.cjs';
let cachedData;
try {
  cachedData = readFileSync(filename + '.cache');
} catch {}
// The cache keeps the name that the code had when it was built, and stack traces show that one: not where it was built.
const script = new Script(readFileSync(filename, 'latin1'), { filename: '${name}.cjs', cachedData });
// Not node:module, which is loaded only where somebody asks for it by name.
const main = new module.constructor(filename, module);
main.filename = filename;
main.paths = module.paths;
require.cache[filename] = main;
script.runInThisContext().call(main.exports, main.exports, (id) => main.require(id), main, filename, folder);
main.loaded = true;
`;
}

/** What a warm-up adds: when the program ends, everything that it had compiled is kept. */
const keep = `
process.on('exit', () => require('node:fs').writeFileSync(filename + '.cache', script.createCachedData()));
`;

/**
 * Runs every program at its usual job, so that each gets a cache of what that job needs; a second run adds to what the
 * first has left. `folders` holds the folder of each program by name.
 */
export async function writeCodeCaches(folders) {
  const scratch = await mkdtemp(path.join(tmpdir(), 'tsmqtt-warm-'));
  const warm = new Map();
  for (const [name, folder] of Object.entries(folders)) {
    warm.set(name, path.join(folder, `${name}-warm-up`));
    await writeFile(warm.get(name), entrySource(name) + keep);
  }
  const timeout = AbortSignal.timeout(LIMIT_MS);
  const start = (name, args) =>
    spawn(process.execPath, [warm.get(name), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: timeout,
    });
  const run = (name, ...args) => ended(name, start(name, args));
  try {
    await run('tsmqtt-passwd', '-c', '-b', path.join(scratch, 'passwd'), 'user', 'password');
    const port = await freePort();
    // Root would become a user who may not write beside the program.
    const conf = path.join(scratch, 'broker.conf');
    await writeFile(conf, process.getuid?.() === 0 ? 'user root\n' : '');
    const broker = start('tsmqtt-broker', ['-p', String(port), '-c', conf]);
    const brokerEnded = ended('tsmqtt-broker', broker);
    await Promise.race([line(broker.stderr, / running$/m), brokerEnded]);
    const at = ['-h', '127.0.0.1', '-p', String(port), '-t', 'a'];
    for (const qos of ['0', '1', '2']) await run('tsmqtt-pub', ...at, '-m', 'b', '-q', qos, '-r');
    await run('tsmqtt-sub', ...at, '-C', '1');
    // Its own request is the response.
    await run('tsmqtt-rr', ...at, '-e', 'a', '-m', 'b');
    broker.kill();
    await brokerEnded;
  } finally {
    for (const file of warm.values()) await rm(file);
    await rm(scratch, { recursive: true, force: true });
  }
}

function ended(name, child) {
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${code} in its warm-up: ${text.trim()}`));
    });
  });
}

function line(stream, pattern) {
  let text = '';
  return new Promise((resolve) => {
    stream.on('data', (chunk) => {
      text += chunk;
      if (pattern.test(text)) resolve();
    });
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
