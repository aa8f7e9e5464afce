import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workspaceRoot } from './support/workspace.js';

const run = promisify(execFile);
const script = path.join(workspaceRoot, 'scripts', 'boundaries.mjs');
let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(path.join(tmpdir(), 'tsmqtt-boundaries-'));
  for (const name of ['protocol', 'client', 'broker', 'cli-kit', 'passwd']) {
    const folder = path.join(copy, 'packages', name);
    await mkdir(path.join(folder, 'src', 'wire'), { recursive: true });
    await cp(path.join(workspaceRoot, 'packages', name, 'package.json'), path.join(folder, 'package.json'));
  }
});

afterAll(() => rm(copy, { recursive: true, force: true }));

async function check(file: string, source: string): Promise<{ ok: boolean; text: string }> {
  const target = path.join(copy, 'packages', file);
  await writeFile(target, source);
  try {
    const { stdout } = await run(process.execPath, [script, '--root', copy]);
    return { ok: true, text: stdout };
  } catch (error) {
    return { ok: false, text: (error as { stderr: string }).stderr };
  } finally {
    await rm(target);
  }
}

test.each([
  ['client/src/a.ts', "import { startBroker } from '@tsmqtt/broker';", 'client must not import broker'],
  ['client/src/a.ts', "import type { Broker } from '@tsmqtt/broker';", 'client must not import broker'],
  ['client/src/a.ts', "export const b = () => import('@tsmqtt/broker');", 'client must not import broker'],
  [
    'client/src/a.ts',
    "import {\n  one,\n  two,\n} from '@tsmqtt/cli-kit';",
    'client must not import cli-kit',
  ],
  ['client/src/a.ts', "export * from '@tsmqtt/credentials';", 'client must not import credentials'],
  ['client/src/a.ts', "import '../../broker/src/index.js';", 'leaves its package'],
  ['client/src/a.ts', "import { a } from '@tsmqtt/protocol/src/wire/a.js';", 'reaches inside a package'],
  ['passwd/src/a.ts', "import { openConnection } from '@tsmqtt/cli-kit';", 'passwd must not import cli-kit'],
  ['passwd/src/a.ts', "import { a } from '@tsmqtt/cli-kit/options';", 'reaches inside a package'],
  [
    'client/src/a.ts',
    "import { byteText } from '@tsmqtt/cli-kit/program';",
    'client must not import cli-kit',
  ],
  ['client/src/a.ts', "import fastify from 'fastify';", 'fastify is not among its dependencies'],
  ['client/src/a.test.ts', "import { host } from '../../broker/test/host.js';", 'leaves its package'],
  ['cli-kit/src/a.ts', "import { startBroker } from '@tsmqtt/broker';", 'only be loaded by import()'],
  ['protocol/src/a.ts', "import { Buffer } from 'node:buffer';", 'has no I/O'],
  ['protocol/src/wire/a.ts', "import { b } from '../session/b.js';", 'protocol/src/wire must not know'],
])('%s with %s is refused', async (file, source, why) => {
  const { ok, text } = await check(file, `${source}\n`);
  expect(ok).toBe(false);
  expect(text).toContain(`packages/${file}:1: `);
  expect(text).toContain(why);
});

test.each([
  ['client/src/a.ts', "import { connect } from 'node:net';\nimport { encode } from '@tsmqtt/protocol';"],
  ['cli-kit/src/a.ts', "export const host = async () => (await import('@tsmqtt/broker')).startBroker();"],
  ['protocol/src/a.ts', "import { b } from './wire/b.js';"],
  ['passwd/src/a.ts', "import { runProgram } from '@tsmqtt/cli-kit/program';"],
  ['client/src/a.test.ts', "import { vectors } from '../../protocol/test/vectors.js';"],
  ['protocol/src/wire/a.test.ts', "import { test } from 'vitest';\nimport { readFileSync } from 'node:fs';"],
])('%s with %s is accepted', async (file, source) => {
  expect(await check(file, `${source}\n`)).toMatchObject({ ok: true });
});
