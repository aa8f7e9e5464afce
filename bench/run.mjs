// `npm run bench [scenario ...] -- [--runs N] [--scale F] [--json]`: measures tsmqtt beside Mosquitto's programs, aedes and
// mqtt.js, each in turn in the same run, and prints Markdown tables; `--help` says more. It asserts nothing.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { root } from '../scripts/steps.mjs';
import { readCommand } from './command.mjs';
import { markdown } from './measure.mjs';
import { versions } from './peers.mjs';
import { runScenarios } from './run-scenarios.mjs';
import { scenarios } from './scenarios/index.mjs';

const command = readCommand(process.argv.slice(2), scenarios);
if (command.help !== undefined) process.stdout.write(command.help);
else if (command.error === undefined) process.exitCode = await bench(command);
else {
  console.error(`Error: ${command.error}.`);
  process.exitCode = 1;
}

async function bench({ names, settings, json }) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const [cpu] = cpus();
  const machine = {
    tsmqtt: version,
    node: process.version,
    cpu: `${cpus().length} x ${cpu.model.trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    peers: versions(),
  };
  if (!json) {
    console.log(`tsmqtt ${version}, Node.js ${machine.node}, ${machine.cpu}, ${machine.memory}`);
    console.log(
      Object.entries(machine.peers)
        .map(([name, text]) => `${name} ${text}`)
        .join(', '),
    );
  }
  const results = [];
  const failures = await runScenarios(names, scenarios, settings, (scenario, { tables = [], failed }) => {
    for (const table of tables) {
      results.push({ scenario, ...table });
      if (!json) console.log(`\n${markdown(table)}`);
    }
    if (failed === undefined) return;
    results.push({ scenario, failed });
    console.error(`Error: ${scenario} could not run: ${failed}`);
  });
  if (json) console.log(JSON.stringify({ machine, settings, results }, undefined, 2));
  return failures === 0 ? 0 : 1;
}
