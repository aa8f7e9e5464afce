// `pnpm check`: build, lint, boundaries, types, generated docs, tests. What CI runs.
// A failed build ends it; any other failure is remembered, so that one run shows everything that is wrong.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root, runStep, tool } from './steps.mjs';

const node = process.execPath;
const failed = [];

async function step(title, args) {
  const code = await runStep(title, node, args);
  if (code !== 0) failed.push(title);
  return code;
}

if ((await step('build', ['scripts/build.mjs', '--programs'])) !== 0) process.exit(1);
await step('lint', [tool('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.']);
await step('boundaries', ['scripts/boundaries.mjs']);
// Emits the libraries too: a project that is referenced is type checked by being built.
await step('types', [tool('typescript', 'tsc'), '-b', 'tsconfig.json']);
await step('docs', ['scripts/docs.mjs', '--check']);

const report = path.join(root, 'node_modules', '.cache', 'vitest-report.json');
mkdirSync(path.dirname(report), { recursive: true });
rmSync(report, { force: true });
const tests = await step('tests', [
  tool('vitest', 'vitest'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);
summarise(tests);
process.exit(failed.length === 0 ? 0 : 1);

/** The test runner's result in one line, after the names of what was skipped and of the steps that failed. */
function summarise(exitCode) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    console.error(`Error: the test runner left no report: ${error.message}`);
    process.exit(exitCode || 1);
  }
  for (const file of result.testResults) {
    for (const { status, fullName } of file.assertionResults) {
      if (status === 'pending' || status === 'skipped' || status === 'todo')
        console.log(`skipped: ${fullName.trim()}`);
    }
    if (file.status === 'failed' && file.assertionResults.length === 0) {
      console.log(`did not load: ${path.relative(root, file.name)}`);
    }
  }
  if (failed.length > 0) console.log(`failed steps: ${failed.join(', ')}`);
  const skipped = result.numPendingTests + result.numTodoTests;
  console.log(`${result.numPassedTests} passed, ${result.numFailedTests} failed, ${skipped} skipped`);
}
