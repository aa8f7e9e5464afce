// The command line of the benchmarks.
import { parseArgs } from 'node:util';

const options = {
  runs: { type: 'string', default: '5' },
  scale: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/**
 * @param scenarios The table of scenarios.
 * @returns `{ help }`, the usage text; or `{ error }`, one line; or what to run: `{ names, settings, json }`.
 */
export function readCommand(args, scenarios) {
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // What Node.js says behind the first sentence is about '--', which nobody needs here.
    return { error: `${error.message.split(/\.\s/)[0]}; options are ${optionNames()}` };
  }
  const { values, positionals } = parsed;
  if (values.help) return { help: usage(scenarios) };
  const unknown = positionals.find((name) => !Object.hasOwn(scenarios, name));
  if (unknown !== undefined)
    return { error: `no scenario '${unknown}'; there are ${Object.keys(scenarios).join(', ')}` };
  const settings = { runs: Number(values.runs), scale: Number(values.scale) };
  if (!Number.isSafeInteger(settings.runs) || settings.runs < 1)
    return { error: `--runs takes a whole number from 1 on, not '${values.runs}'` };
  if (!(settings.scale > 0 && settings.scale < Number.POSITIVE_INFINITY))
    return { error: `--scale takes a number above 0, not '${values.scale}'` };
  return {
    names: positionals.length > 0 ? positionals : Object.keys(scenarios),
    settings,
    json: values.json,
  };
}

function optionNames() {
  return Object.keys(options)
    .map((name) => `--${name}`)
    .join(', ');
}

function usage(scenarios) {
  const width = Math.max(...Object.keys(scenarios).map((name) => name.length));
  const list = Object.entries(scenarios).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  return `Usage: npm run bench [SCENARIO ...] -- [--runs N] [--scale F] [--json]

Measures tsmqtt beside Mosquitto's programs, aedes and mqtt.js, as far as they are installed, each in turn in the same
run, and prints Markdown tables. Build first: npm run build.

  --runs N    counted runs of each contender, after one that is not; default ${options.runs.default}
  --scale F   F times as long, or as many messages; 0.1 for a quick look; default ${options.scale.default}
  --json      the samples as JSON instead of tables
  --help      this text

Scenarios, all of them unless some are named:
${list.join('\n')}
`;
}
