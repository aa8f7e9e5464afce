import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Ended, startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { workspaceRoot } from './support/workspace.js';

function bench(args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  const script = path.join(workspaceRoot, 'bench', 'run.mjs');
  return startChild(process.execPath, [script, ...args], { input: '', ...(env && { env }) }).ended;
}

async function load<T>(file: string): Promise<T> {
  return (await import(pathToFileURL(path.join(workspaceRoot, 'bench', file)).href)) as T;
}

describe('the command line of the benchmarks', () => {
  test.each([['--help'], ['-h']])('%s names every scenario', async (option) => {
    const { scenarios } = await load<{ scenarios: object }>('scenarios/index.mjs');
    const { code, stdout, stderr } = await bench(['idle', option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const listed = [...stdout.toString().matchAll(/^ {2}([a-z]\S*) +\S/gm)].map(([, name]) => name);
    expect(listed).toEqual(Object.keys(scenarios));
  });

  test.each([
    [['--nonsense'], /^Error: Unknown option '--nonsense'; options are --runs, --scale, --json, --help\.\n$/],
    [['-x'], /^Error: Unknown option '-x'; options are [^\n]*\n$/],
    [['--runs'], /^Error: Option '--runs <value>' argument missing; options are [^\n]*\n$/],
    [['--runs', '-5'], /^Error: Option '--runs' argument is ambiguous; options are [^\n]*\n$/],
    [['--json=1'], /^Error: Option '--json' does not take an argument; options are [^\n]*\n$/],
    [['--runs', 'x'], /^Error: --runs takes a whole number from 1 on, not 'x'\.\n$/],
    [['--runs', '0'], /^Error: --runs takes a whole number from 1 on, not '0'\.\n$/],
    [['--scale', 'x'], /^Error: --scale takes a number above 0, not 'x'\.\n$/],
    [['--scale', 'Infinity'], /^Error: --scale takes a number above 0, not 'Infinity'\.\n$/],
    [['idle', 'nosuch'], /^Error: no scenario 'nosuch'; there are lines, [^\n]*password-hash\.\n$/],
    [['toString'], /^Error: no scenario 'toString'; there are [^\n]*\n$/],
  ])('%j is refused in one line', async (args, line) => {
    const { code, stdout, stderr } = await bench(args);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(line);
  });
});

describe('what cannot run', () => {
  test('a peer that is not installed is named in every table that it would be in', async () => {
    const args = ['rendering', 'programs', '--runs', '1', '--scale', '0.0001'];
    const { code, stdout, stderr } = await bench(args, { PATH: temporaryFolder() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, ...tables] = stdout.toString().split('\n### ');
    expect(tables).toHaveLength(4);
    for (const text of tables) expect(text).toMatch(/`?mosquitto_sub.*could not run: it is not installed/);
  });

  test('a scenario that fails hides no other, and is counted', async () => {
    type Ran = (name: string, what: { tables?: unknown; failed?: string }) => void;
    const { runScenarios } = await load<{
      runScenarios(names: string[], scenarios: object, settings: object, ran: Ran): Promise<number>;
    }>('run-scenarios.mjs');
    const scenarios = {
      first: { run: async () => ['table'] },
      broken: { run: () => Promise.reject(new Error('no broker')) },
      thrown: {
        run: () => {
          throw new Error('no file');
        },
      },
      last: { run: async (settings: unknown) => [settings] },
    };
    const seen: unknown[] = [];
    const failures = await runScenarios(Object.keys(scenarios), scenarios, { runs: 1 }, (...ran) =>
      seen.push(ran),
    );
    expect(failures).toBe(2);
    expect(seen).toEqual([
      ['first', { tables: ['table'] }],
      ['broken', { failed: 'no broker' }],
      ['thrown', { failed: 'no file' }],
      ['last', { tables: [{ runs: 1 }] }],
    ]);
  });
});
