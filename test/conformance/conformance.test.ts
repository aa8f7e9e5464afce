import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { workspaceRoot } from '../support/workspace.js';

// Holds scripts/conformance.mjs to what it promises, over a workspace of three statements. This folder is not searched
// for numbers, so those made up here do not count.

const run = promisify(execFile);
const script = pathToFileURL(path.join(workspaceRoot, 'scripts', 'conformance.mjs')).href;

let copy: string;
beforeEach(async () => {
  copy = await mkdtemp(path.join(tmpdir(), 'tsmqtt-conformance-'));
});
afterEach(() => rm(copy, { recursive: true, force: true }));

interface Workspace {
  readonly files?: Readonly<Record<string, string>>;
  readonly waivers?: readonly object[];
}

const SERVER = 'MQTT-1.0.0-1';
const CLIENT = 'MQTT-1.0.0-2';
const OLD = 'MQTT311-1.0.0-1';

async function conformance({
  files = {},
  waivers = [],
}: Workspace): Promise<{ text: string; problems: string[] }> {
  const row = (number: string, binds: string) => ({ number, binds, says: `what ${number} says` });
  const all: Record<string, string> = {
    'test/conformance/mqtt-5.0.json': JSON.stringify([row('1.0.0-1', 'server'), row('1.0.0-2', 'client')]),
    'test/conformance/mqtt-3.1.1.json': JSON.stringify([row('1.0.0-1', 'both')]),
    'test/conformance/waivers.json': JSON.stringify(waivers),
    'packages/README': '',
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    const target = path.join(copy, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  const program = `
    const { conformance } = await import(${JSON.stringify(script)});
    console.log(JSON.stringify(await conformance(${JSON.stringify(copy)})));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  return JSON.parse(stdout);
}

const SOURCE = `// [${SERVER}] [${OLD}]\n`;
const DONE = { 'packages/broker/src/a.ts': SOURCE, 'packages/broker/src/a.test.ts': SOURCE };
const waiver = (statement: string, kind = 'waived', why = 'because') => ({ statement, kind, why });

test('a statement that is enforced and tested is fine, and the page says where', async () => {
  const { problems, text } = await conformance({ files: DONE });
  expect(problems).toEqual([]);
  expect(text).toContain(
    '| 1.0.0-1 | server | what 1.0.0-1 says | `broker/src/a.ts` | `broker/src/a.test.ts` |',
  );
  expect(text).toContain('| MQTT 5.0 | 2 | 1 | 1 | 0 | 0 | 1 | 0 |');
  // Nothing names the client's.
  expect(text).not.toContain('what 1.0.0-2 says');
});

test.each<[string, Workspace, string[]]>([
  [
    'nothing names it',
    {},
    [
      `[${SERVER}]: no source enforces it: what 1.0.0-1 says`,
      `[${SERVER}]: no test shows it: what 1.0.0-1 says`,
      `[${OLD}]: no source enforces it: what 1.0.0-1 says`,
      `[${OLD}]: no test shows it: what 1.0.0-1 says`,
    ],
  ],
  [
    'only a source names it',
    { files: { 'packages/broker/src/a.ts': SOURCE }, waivers: [waiver(OLD)] },
    [`[${SERVER}]: no test shows it: what 1.0.0-1 says`],
  ],
  [
    'only tests name it: beside the source, helpers, vectors, across packages',
    {
      files: {
        'packages/broker/src/a.test.ts': `// [${SERVER}]`,
        'packages/broker/test/a.ts': `// [${SERVER}]`,
        'packages/protocol/vectors/a.json': `["[${SERVER}]"]`,
        'test/a.test.ts': `// [${SERVER}]`,
      },
      waivers: [waiver(OLD)],
    },
    [`[${SERVER}]: no source enforces it: what 1.0.0-1 says`],
  ],
  [
    "another package's source names it",
    {
      files: { ...DONE, 'packages/broker/src/a.ts': '', 'packages/client/src/a.ts': SOURCE },
      waivers: [waiver(OLD)],
    },
    [`[${SERVER}]: no source enforces it: what 1.0.0-1 says`],
  ],
  [
    'there is no such statement',
    { files: { ...DONE, 'packages/pub/src/a.ts': '\n// [MQTT-9.0.0-1]' } },
    ['packages/pub/src/a.ts:2: there is no statement [MQTT-9.0.0-1]'],
  ],
  [
    'it is written in another way',
    { files: { ...DONE, 'test/a.test.ts': '// [MQTT-1-0.0-1]' } },
    ['test/a.test.ts:1: [MQTT-1-0.0-1] is not written like [MQTT-3.1.2-24] or [MQTT311-3.1.2-24]'],
  ],
  [
    'a range stands for several',
    { files: { ...DONE, 'test/a.test.ts': `// [${SERVER}] to [${CLIENT}]` } },
    ['test/a.test.ts:1: write out every number of the range'],
  ],
  [
    'a waiver waives what is enforced and tested',
    { files: DONE, waivers: [waiver(SERVER)] },
    [`waiver: [${SERVER}] is enforced and tested, so there is nothing to waive`],
  ],
  [
    'an exception to what nothing enforces',
    { waivers: [waiver(SERVER, 'exception'), waiver(OLD)] },
    [
      `[${SERVER}]: no source enforces it: what 1.0.0-1 says`,
      `[${SERVER}]: no test shows it: what 1.0.0-1 says`,
    ],
  ],
  [
    'a waiver of no statement',
    { files: DONE, waivers: [waiver('MQTT-9.0.0-1')] },
    ['waiver: there is no statement [MQTT-9.0.0-1]'],
  ],
  [
    'a waiver without a reason',
    {
      files: { 'packages/broker/src/a.ts': `// [${OLD}]`, 'test/a.test.ts': `// [${OLD}]` },
      waivers: [waiver(SERVER, 'waived', '')],
    },
    [`waiver: [${SERVER}] needs a kind and a why`],
  ],
  [
    'two waivers of one statement',
    { files: DONE, waivers: [waiver(SERVER, 'exception'), waiver(SERVER, 'exception')] },
    [`waiver: [${SERVER}] stands there twice`],
  ],
])('it is a problem where %s', async (_what, workspace, problems) => {
  expect((await conformance(workspace)).problems).toEqual(problems);
});

test("a waiver and the client's statements need nothing more, and are told of", async () => {
  const { problems, text } = await conformance({
    files: { 'packages/client/src/a.ts': `// [${CLIENT}]` },
    waivers: [waiver(SERVER), waiver(OLD)],
  });
  expect(problems).toEqual([]);
  expect(text).toContain(`| ${SERVER} | what 1.0.0-1 says | no | because |`);
  expect(text).toContain('| 1.0.0-2 | what 1.0.0-2 says | `client/src/a.ts` |  |');
});
