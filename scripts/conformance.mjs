// What becomes of the normative statements of both specifications: collects their numbers from sources and tests and
// holds them against the tables in test/conformance, for docs/reference/conformance.md (written by docs.mjs).
// It is a problem where a statement that binds a server is neither enforced and tested nor waived, where a number is
// none of the specification's, and where a waiver has nothing to waive.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { root as ownRoot } from './steps.mjs';

const SPECIFICATIONS = [
  { name: 'MQTT 5.0', prefix: 'MQTT', table: 'mqtt-5.0.json' },
  { name: 'MQTT 3.1.1', prefix: 'MQTT311', table: 'mqtt-3.1.1.json' },
];

/** Packages whose lines enforce what binds each side. */
const SIDES = {
  server: ['packages/broker', 'packages/protocol'],
  client: ['packages/client', 'packages/protocol'],
};

const TABLES = 'test/conformance';

/** Files that may name statements, below these folders. */
const SCANNED = ['packages', 'test'];
const SKIPPED = new Set(['node_modules', 'dist', 'conformance']);

async function* sources(root, folder) {
  for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) yield* sources(root, name);
    } else if (/\.(ts|mjs)$/.test(name) || /\/vectors\/[^/]+\.json$/.test(name)) yield name;
  }
}

/** Tests are files named so, what only they use, and vectors. */
const isTest = (file) => /\.test\.ts$|\/vectors\/|^packages\/[^/]+\/test\/|^test\//.test(file);

/** Every place that names a statement: `{ id, file, line }`; what cannot be read as one goes to `problems`. */
function citationsOf(file, text, problems) {
  const found = [];
  for (const [index, line] of text.split('\n').entries()) {
    const where = `${file}:${index + 1}`;
    for (const [whole, prefix, number] of line.matchAll(/\[(MQTT(?:311)?)-([^\]]*)\]/g)) {
      if (/^\d+\.\d+\.\d+-\d+$/.test(number)) found.push({ id: `${prefix}-${number}`, file, where });
      else problems.push(`${where}: ${whole} is not written like [MQTT-3.1.2-24] or [MQTT311-3.1.2-24]`);
    }
    if (/\] (to|through|\.\.) \[MQTT/.test(line))
      problems.push(`${where}: write out every number of the range`);
  }
  return found;
}

/** For each statement the files that enforce it and those that test it, by side. */
function judge(statements, waivers, citations) {
  const problems = [];
  const known = new Map(statements.map((row) => [row.id, row]));
  const rows = new Map(statements.map((row) => [row.id, { ...row, server: places(), client: places() }]));
  for (const { id, file, where } of citations) {
    const row = rows.get(id);
    if (row === undefined) {
      problems.push(`${where}: there is no statement [${id}]`);
      continue;
    }
    for (const [side, packages] of Object.entries(SIDES)) {
      if (!file.startsWith('test/') && !packages.some((name) => file.startsWith(`${name}/`))) continue;
      row[side][isTest(file) ? 'tests' : 'sources'].add(file);
    }
  }
  const waived = new Map();
  for (const waiver of waivers) {
    const { statement, kind, why } = waiver;
    if (!known.has(statement)) problems.push(`waiver: there is no statement [${statement}]`);
    else if (waived.has(statement)) problems.push(`waiver: [${statement}] stands there twice`);
    else if (!['waived', 'exception'].includes(kind) || !why)
      problems.push(`waiver: [${statement}] needs a kind and a why`);
    waived.set(statement, waiver);
  }
  for (const row of rows.values()) {
    row.waiver = waived.get(row.id);
    const done = isDone(row.server);
    if (row.waiver?.kind === 'waived') {
      if (done) problems.push(`waiver: [${row.id}] is enforced and tested, so there is nothing to waive`);
    } else if (row.binds !== 'client' || row.waiver !== undefined) {
      if (row.server.sources.size === 0) problems.push(`[${row.id}]: no source enforces it: ${row.says}`);
      if (row.server.tests.size === 0) problems.push(`[${row.id}]: no test shows it: ${row.says}`);
    }
  }
  return { rows: [...rows.values()], problems };
}

const places = () => ({ sources: new Set(), tests: new Set() });
const isDone = ({ sources, tests }) => sources.size > 0 && tests.size > 0;
const isNamed = ({ sources, tests }) => sources.size + tests.size > 0;

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const files = (set) =>
  [...set]
    .map((file) => `\`${file.replace(/^packages\//, '')}\``)
    .sort()
    .join(' ');

function page(rows) {
  const of = (prefix) => rows.filter((row) => row.id.startsWith(`${prefix}-`));
  const binds = (row, side) => row.binds === side || row.binds === 'both';
  const count = (list, test) => String(list.filter(test).length);
  const counts = SPECIFICATIONS.map(({ name, prefix }) => {
    const server = of(prefix).filter((row) => binds(row, 'server'));
    const client = of(prefix).filter((row) => row.binds === 'client');
    return [
      name,
      String(of(prefix).length),
      String(server.length),
      count(server, (row) => isDone(row.server) && row.waiver === undefined),
      count(server, (row) => row.waiver?.kind === 'exception'),
      count(server, (row) => row.waiver?.kind === 'waived'),
      String(client.length),
      count(client, (row) => isDone(row.server)),
    ];
  });
  const clientCounts = SPECIFICATIONS.map(({ name, prefix }) => {
    const client = of(prefix).filter((row) => binds(row, 'client'));
    return [name, String(client.length), count(client, (row) => isDone(row.client))];
  });
  const sections = SPECIFICATIONS.flatMap(({ name, prefix }) => [
    `## ${name}: the broker`,
    table(
      ['statement', 'binds', 'what it says', 'enforced in', 'tested in'],
      of(prefix)
        .filter((row) => isNamed(row.server) && row.waiver?.kind !== 'waived')
        .map((row) => [
          row.number + (row.waiver === undefined ? '' : ' *'),
          row.binds,
          row.says.replaceAll('|', '\\|'),
          files(row.server.sources),
          files(row.server.tests),
        ]),
    ),
  ]);
  const waivers = table(
    ['statement', 'what it says', 'kept', 'why not as it stands'],
    rows
      .filter((row) => row.waiver !== undefined)
      .map((row) => [
        row.id,
        row.says,
        row.waiver.kind === 'exception' ? 'but for this' : 'no',
        row.waiver.why,
      ]),
  );
  const client = SPECIFICATIONS.flatMap(({ name, prefix }) => [
    `## ${name}: @tsmqtt/client`,
    table(
      ['statement', 'what it says', 'enforced in', 'tested in'],
      of(prefix)
        .filter((row) => binds(row, 'client') && isNamed(row.client))
        .map((row) => [row.number, row.says, files(row.client.sources), files(row.client.tests)]),
    ),
  ]);
  return `<!-- Written by scripts/docs.mjs from ${TABLES} and from what sources and tests name. -->

# Conformance

The normative statements of both specifications (their Appendix B), in our words, and where each is enforced and tested.
A file stands here because it names the statement: \`[MQTT-3.1.2-24]\` for MQTT 5.0, \`[MQTT311-3.1.2-24]\` for MQTT 3.1.1.
\`pnpm check\` fails where a statement that binds a server is named by no source or by no test and is not waived.
MQTT 3.1 has no numbered statements.

${table(
  [
    'specification',
    'statements',
    'bind a server',
    'enforced and tested',
    'but for an exception',
    'waived',
    'bind the client alone',
    'of these, the broker refuses what breaks them',
  ],
  counts,
)}

A * marks an exception, told below.

## Exceptions and waivers

Where Mosquitto 2.1.2 departs from a specification in what it accepts or sends, this broker does as Mosquitto does, so
that it can take its place; each of these is here with its number.

${waivers}

${sections.join('\n\n')}

# The client library

Named by \`@tsmqtt/client\` and the codec it shares with the broker. Nothing fails where a statement is missing here.

${table(['specification', 'bind a client', 'enforced and tested'], clientCounts)}

${client.join('\n\n')}
`;
}

/** The page as it should be, and everything that is wrong. @param root Of this workspace, or of a test's own. */
export async function conformance(root = ownRoot) {
  const json = async (file) => JSON.parse(await readFile(path.join(root, TABLES, file), 'utf8'));
  const statements = [];
  for (const { prefix, table: file } of SPECIFICATIONS) {
    for (const row of await json(file)) statements.push({ ...row, id: `${prefix}-${row.number}` });
  }
  const problems = [];
  const citations = [];
  for (const folder of SCANNED) {
    for await (const file of sources(root, folder)) {
      citations.push(...citationsOf(file, await readFile(path.join(root, file), 'utf8'), problems));
    }
  }
  const judged = judge(statements, await json('waivers.json'), citations);
  return { text: page(judged.rows), problems: [...problems, ...judged.problems] };
}
