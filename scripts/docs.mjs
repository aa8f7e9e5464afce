// Writes docs/reference/*.md from the tables the programs run on. `--check` writes nothing and fails where a
// file is not what the tables say. Fails in any case where a normative statement is unaccounted for (conformance.mjs).
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { conformance } from './conformance.mjs';
import { root } from './steps.mjs';

const protocol = 'packages/protocol/src/wire';

/** One page: its file, the source of its table, and what it says. */
const pages = [
  { file: 'cli.md', source: 'packages/cli-kit/src/options/reference.ts', render: (m) => m.optionReference() },
  { file: 'conf.md', source: 'packages/broker/src/conf/reference.ts', render: (m) => m.confReference() },
  { file: 'sys.md', source: 'packages/broker/src/sys/reference.ts', render: (m) => m.sysReference() },
  { file: 'properties.md', source: `${protocol}/property-table.ts`, render: (m) => properties(m.PROPERTIES) },
  {
    file: 'reason-codes.md',
    source: `${protocol}/reason-code-table.ts`,
    render: (m) => reasonCodes(m.REASON_CODES),
  },
];

const hex = (number) => `0x${number.toString(16).padStart(2, '0')}`;

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function properties(rows) {
  const types = {
    byte: 'byte',
    boolean: '0 or 1',
    int16: 'two byte integer',
    int32: 'four byte integer',
    varint: 'variable byte integer',
    string: 'UTF-8 string',
    binary: 'binary data',
    pair: 'pair of UTF-8 strings',
  };
  const notes = (row) =>
    [row.repeatable && 'may be repeated', row.nonZero && 'not 0'].filter(Boolean).join(', ');
  const cells = (row) => [
    hex(row.id),
    row.label,
    `\`${row.name}\``,
    types[row.type],
    row.places.join(', '),
    notes(row),
  ];
  return `# Properties

The properties of MQTT 5 (section 2.2.2.2 of the specification), what the libraries call them, and the packets that
may carry them. WILL is the will inside of CONNECT.

${table(['id', 'name', 'in the libraries', 'value', 'packets', ''], rows.map(cells))}
`;
}

function reasonCodes(rows) {
  const cells = (row) => [
    String(row.code),
    hex(row.code),
    row.text,
    `\`${row.name}\``,
    row.packets.join(', '),
  ];
  return `# Reason codes

The reason codes of MQTT 5 (section 2.4 of the specification), as programs print them and as the libraries call them,
and the packets that may carry them. From 128 on they tell of a failure.

${table(['code', 'hex', 'text', 'in the libraries', 'packets'], rows.map(cells))}
`;
}

/** Runs a TypeScript source of the workspace and answers its exports. */
async function load(source, stage) {
  const outfile = path.join(stage, `${source.replaceAll('/', '-')}.mjs`);
  await build({
    entryPoints: [path.join(root, source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@tsmqtt/source'],
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile));
}

const check = process.argv.includes('--check');
const folder = path.join(root, 'docs', 'reference');
const stage = await mkdtemp(path.join(tmpdir(), 'tsmqtt-docs-'));
const stale = [];

async function write(file, text) {
  const target = path.join(folder, file);
  const before = await readFile(target, 'utf8').catch(() => '');
  if (before === text) return;
  stale.push(`docs/reference/${file}`);
  if (!check) await writeFile(target, text);
}

try {
  await mkdir(folder, { recursive: true });
  for (const { file, source, render } of pages) {
    const text = render(await load(source, stage)).trim();
    await write(file, `<!-- Written by scripts/docs.mjs from ${source}. -->\n\n${text}\n`);
  }
} finally {
  await rm(stage, { recursive: true, force: true });
}
const statements = await conformance();
await write('conformance.md', statements.text);
for (const problem of statements.problems) console.error(`Error: ${problem}`);
if (check && stale.length > 0) {
  console.error(`Error: not what the tables say: ${stale.join(', ')}. Run "pnpm run docs".`);
}
if ((check && stale.length > 0) || statements.problems.length > 0) process.exit(1);
console.log(
  check
    ? `docs: ${pages.length + 1} pages are what the tables say`
    : `docs: wrote ${stale.join(', ') || 'nothing'}`,
);
