import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import * as library from './index.js';

/** The examples of the README are programs, and say behind each `console.log` what it prints. */
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const sources = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'credentials-readme-'));

afterAll(() => rmSync(folder, { recursive: true }));

const examples = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1]!);

async function run(example: string, name: string): Promise<string[]> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    stdin: { contents: example, resolveDir: sources, sourcefile: `${name}.js` },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { '@tsmqtt/credentials': join(sources, 'index.ts') },
  });
  return execFileSync(process.execPath, [outfile], { encoding: 'utf8' }).split('\n').slice(0, -1);
}

test('the README has an example of each part', () => {
  expect(examples).toHaveLength(5);
});

test.each(examples.map((example, index) => [index + 1, example] as const))(
  'example %i prints what it says',
  async (index, example) => {
    const prints = [...example.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]!);
    expect(prints.length).toBeGreaterThan(0);
    // An array longer than a line is wrapped.
    expect((await run(example, `example-${index}`)).join(' ').replaceAll(/\s+/g, ' ')).toBe(prints.join(' '));
  },
);

describe('the names that it uses', () => {
  const names = [...readme.matchAll(/`(\w+)(?:\.\w+)?\(/g)].map((match) => match[1]!);
  const methods = new Set(['find', 'entries', 'set', 'setLine', 'remove', 'toBytes']);
  test.each([...new Set(names)].filter((name) => !methods.has(name)))('%s is exported', (name) => {
    expect(library).toHaveProperty(name);
  });

  test.each([...methods])('%s is a method', (name) => {
    expect(library.PasswordFile.prototype).toHaveProperty(name);
  });
});
