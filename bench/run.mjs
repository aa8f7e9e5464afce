// `pnpm bench [scenario ...] [--runs N] [--scale F] [--json]`: measures tsmqtt beside Mosquitto's programs, aedes and
// mqtt.js, each in turn in the same run, and prints Markdown tables. It asserts nothing.
//
//   --runs N    counted runs of each contender, after one that is not; default 5
//   --scale F   F times as many messages; 0.1 for a quick look
//   --json      the samples as JSON instead of tables
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/steps.mjs';
import { markdown } from './measure.mjs';
import { versions } from './peers.mjs';
import { scenarios } from './scenarios/index.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const settings = { runs: Number(values.runs), scale: Number(values.scale) };
const unknown = positionals.find((name) => !(name in scenarios));
if (unknown !== undefined) fail(`no scenario '${unknown}'; there are ${Object.keys(scenarios).join(', ')}`);
if (!Number.isInteger(settings.runs) || settings.runs < 1) fail('--runs takes a whole number from 1 on');
if (!(settings.scale > 0)) fail('--scale takes a number above 0');

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const [cpu] = cpus();
const machine = {
  tsmqtt: version,
  node: process.version,
  cpu: `${cpus().length} x ${cpu.model.trim()}`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  peers: versions(),
};
const results = [];
if (!values.json) {
  console.log(`tsmqtt ${version}, Node.js ${machine.node}, ${machine.cpu}, ${machine.memory}`);
  console.log(
    Object.entries(machine.peers)
      .map(([name, text]) => `${name} ${text}`)
      .join(', '),
  );
}
for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) {
  for (const table of await scenarios[name](settings)) {
    results.push({ scenario: name, ...table });
    if (!values.json) console.log(`\n${markdown(table)}`);
  }
}
if (values.json) console.log(JSON.stringify({ machine, settings, results }, undefined, 2));

function fail(text) {
  console.error(`Error: ${text}.`);
  process.exit(1);
}
