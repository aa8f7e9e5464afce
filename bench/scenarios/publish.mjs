// One publish from the start of the process to its end, beside `node -e 0`: what is left of a program that must start
// Node.js first. Same broker for all.
import { spawnSync } from 'node:child_process';
import { inTurn, median, ratio, rounds, table } from '../measure.mjs';
import { client, installed, startBroker } from '../peers.mjs';

const WARM_UP = 3;

export async function publish() {
  const count = rounds(30);
  const broker = await startBroker(installed('mosquitto') ? 'mosquitto' : 'tsmqtt');
  try {
    const message = [...broker.at, '-t', 'a', '-m', 'b'];
    const commands = {
      'node -e 0': [process.execPath, '-e', '0'],
      'tsmqtt-pub': [...client('tsmqtt', 'pub'), ...message],
      'tsmqtt-pub -q 1': [...client('tsmqtt', 'pub'), ...message, '-q', '1'],
      ...(installed('mosquitto') && { mosquitto_pub: [...client('mosquitto', 'pub'), ...message] }),
    };
    const names = Object.keys(commands);
    const time = (name) => {
      const [command, ...args] = commands[name];
      const started = process.hrtime.bigint();
      const { status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
      return Number(process.hrtime.bigint() - started) / 1e6;
    };
    for (const name of names) for (let run = 0; run < WARM_UP; run += 1) time(name);
    const samples = await inTurn(names, count, time);
    const rows = names.map((name) => [
      `\`${name}\``,
      median(samples.get(name)).toFixed(1),
      ratio(samples, name, 'node -e 0').toFixed(2),
    ]);
    return `### One publish, start to end, ${count} rounds, broker ${broker.name}\n\n${table(['', 'ms', 'time / node -e 0'], rows)}`;
  } finally {
    await broker.stop();
  }
}
