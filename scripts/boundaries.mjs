// Fails when an import goes the wrong way. Packages point one way (protocol <- client, protocol <- broker,
// credentials <- broker and passwd, client and cli-kit <- programs), and so do some folders inside them.
// `--root DIR` checks another workspace; the test uses it.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root as ownRoot } from './steps.mjs';

const SCOPE = '@tsmqtt/';

/** Package -> packages it may import. `lazy`: only by `import()`, or for types alone. `pure`: nothing of Node's. */
const packageRules = {
  protocol: { may: [], pure: true },
  client: { may: ['protocol'] },
  credentials: { may: [] },
  broker: { may: ['protocol', 'credentials'] },
  'cli-kit': { may: ['protocol', 'client'], lazy: ['broker'] },
  pub: { may: ['protocol', 'client', 'cli-kit'] },
  sub: { may: ['protocol', 'client', 'cli-kit'] },
  rr: { may: ['protocol', 'client', 'cli-kit'] },
  passwd: { may: ['credentials', 'cli-kit/program'] },
};

/** Public entries beside the packages' index.ts. */
const furtherEntries = new Set(['cli-kit/program']);

/** Folder -> folders of the same package that it must not import. */
const folderRules = {
  'protocol/src/wire': ['protocol/src/session'],
  'protocol/src/topic': ['protocol/src/session'],
};

const statement =
  /^(?:import|export)\s+(type\s+)?(?:[\w*]+(?:\s+as\s+\w+)?(?:\s*,\s*)?)?(?:\{[^}]*\})?\s*(?:from\s+)?'([^']+)'/gm;
const call = /\bimport\(\s*'([^']+)'\s*\)/g;

/** Every import of a source as Biome formats it: what is named, on which line, and how. */
function importsOf(text) {
  const found = [];
  const line = (index) => text.slice(0, index).split('\n').length;
  for (const match of text.matchAll(statement)) {
    found.push({ name: match[2], line: line(match.index), kind: match[1] ? 'type' : 'static' });
  }
  for (const match of text.matchAll(call)) {
    found.push({ name: match[1], line: line(match.index), kind: 'dynamic' });
  }
  return found;
}

/** Why this import is wrong, or undefined. `file` is relative to packages/. */
function objection(file, { name, kind }, dependencies) {
  const [owner] = file.split('/');
  const rules = packageRules[owner];
  const isTest = file.endsWith('.test.ts') || !file.startsWith(`${owner}/src/`);
  if (name.startsWith('.')) {
    const target = path.posix.join(path.posix.dirname(file), name);
    if (!target.startsWith(`${owner}/`)) {
      // Tests may share helpers, and look inside a package that theirs may import.
      const other = target.split('/')[0];
      if (isTest && rules.may.some((allowed) => allowed.split('/')[0] === other)) return undefined;
      return 'leaves its package; import it by the package name';
    }
    if (!isTest && !target.startsWith(`${owner}/src/`)) return 'reaches outside of src';
    if (!isTest && target.endsWith('.test.js')) return 'imports a test';
    for (const [folder, forbidden] of Object.entries(folderRules)) {
      const wrong = forbidden.find((other) => target.startsWith(`${other}/`));
      if (file.startsWith(`${folder}/`) && !isTest && wrong) return `${folder} must not know ${wrong}`;
    }
    return undefined;
  }
  if (name.startsWith(SCOPE)) {
    const target = name.slice(SCOPE.length);
    if (target.includes('/') && !furtherEntries.has(target)) {
      return 'reaches inside a package; only its index.ts is public';
    }
    if (target.split('/')[0] === owner) return 'imports its own package by name';
    if (rules.may.includes(target)) return undefined;
    if (rules.lazy?.includes(target)) {
      return kind === 'static' ? `${target} may only be loaded by import()` : undefined;
    }
    return `${owner} must not import ${target}`;
  }
  if (isTest) return undefined;
  if (name.startsWith('node:'))
    return rules.pure ? `${owner} has no I/O and imports nothing of Node's` : undefined;
  const [scope, inner] = name.split('/');
  const dependency = scope.startsWith('@') ? `${scope}/${inner}` : scope;
  return dependency in dependencies ? undefined : `${dependency} is not among its dependencies`;
}

function check(root) {
  const problems = [];
  let files = 0;
  const packages = path.join(root, 'packages');
  for (const owner of readdirSync(packages)) {
    const { dependencies = {} } = JSON.parse(
      readFileSync(path.join(packages, owner, 'package.json'), 'utf8'),
    );
    for (const name of Object.keys(dependencies).filter((name) => name.startsWith(SCOPE))) {
      const target = name.slice(SCOPE.length);
      const { may = [], lazy = [] } = packageRules[owner] ?? {};
      if (![...may, ...lazy].some((allowed) => allowed.split('/')[0] === target)) {
        problems.push(`packages/${owner}/package.json: must not depend on ${name}`);
      }
    }
    for (const entry of readdirSync(path.join(packages, owner), { recursive: true })) {
      const relative = entry.split(path.sep).join('/');
      if (!relative.endsWith('.ts') || /(^|\/)(node_modules|dist)\//.test(relative)) continue;
      files += 1;
      const file = `${owner}/${relative}`;
      if (!(owner in packageRules)) {
        problems.push(`packages/${file}: no rule for the package ${owner}`);
        continue;
      }
      for (const found of importsOf(readFileSync(path.join(packages, file), 'utf8'))) {
        const why = objection(file, found, dependencies);
        if (why) problems.push(`packages/${file}:${found.line}: '${found.name}': ${why}`);
      }
    }
  }
  return { problems, files };
}

const asked = process.argv.indexOf('--root');
const { problems, files } = check(asked === -1 ? ownRoot : path.resolve(process.argv[asked + 1]));
for (const problem of problems) console.error(problem);
console.log(`boundaries: ${files} files, ${problems.length} imports that go the wrong way`);
process.exit(problems.length === 0 ? 0 : 1);
