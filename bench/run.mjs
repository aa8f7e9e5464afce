// `pnpm bench [scenario ...]`: measures tsmqtt beside Mosquitto's programs and aedes, each in turn in the same run,
// and prints Markdown tables. It asserts nothing. BENCH_ROUNDS sets how often each contender runs,
// BENCH_SCALE=0.1 makes the pipelines a tenth as long.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { root } from '../scripts/steps.mjs';
import { installed, versionOf } from './peers.mjs';
import { idle } from './scenarios/idle.mjs';
import { lines } from './scenarios/lines.mjs';
import { passwordHash } from './scenarios/password-hash.mjs';
import { publish } from './scenarios/publish.mjs';

const scenarios = {
  qos0: () => lines({ qos: 0, count: 1_000_000 }),
  qos1: () => lines({ qos: 1, count: 200_000 }),
  qos2: () => lines({ qos: 2, count: 200_000 }),
  publish,
  idle,
  'password-hash': passwordHash,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in scenarios));
if (unknown) {
  console.error(`Error: no scenario '${unknown}'; there are ${Object.keys(scenarios).join(', ')}.`);
  process.exit(1);
}

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const [cpu] = cpus();
const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
console.log(
  `tsmqtt ${version}, Node.js ${process.version}, ${cpus().length} x ${cpu.model.trim()}, ${memory}`,
);
console.log(`Mosquitto ${versionOf('mosquitto')}, aedes ${versionOf('aedes')}`);
if (!installed('mosquitto')) console.log('Mosquitto is not installed: its columns are left out.');
for (const name of asked.length > 0 ? asked : Object.keys(scenarios)) {
  console.log(`\n${await scenarios[name]()}`);
}
