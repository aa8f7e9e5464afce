// A subscriber made of mqtt.js, for the comparison: takes the options of tsmqtt-sub that the benchmarks use.
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';

const { values } = parseArgs({
  options: {
    h: { type: 'string', short: 'h' },
    p: { type: 'string', short: 'p' },
    t: { type: 'string', short: 't' },
    q: { type: 'string', short: 'q', default: '0' },
    C: { type: 'string', short: 'C' },
  },
});
const client = mqtt.connect(`mqtt://${values.h}:${values.p}`);
let left = Number(values.C);
client.on('message', (_topic, payload) => {
  process.stdout.write(`${payload}\n`);
  left -= 1;
  if (left === 0) client.end();
});
client.on('connect', () => client.subscribe(values.t, { qos: Number(values.q) }));
