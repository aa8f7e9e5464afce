// A line publisher made of mqtt.js, for the comparison: takes the options of tsmqtt-pub that the benchmarks use.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';

const { values } = parseArgs({
  options: {
    h: { type: 'string', short: 'h' },
    p: { type: 'string', short: 'p' },
    t: { type: 'string', short: 't' },
    m: { type: 'string', short: 'm' },
    q: { type: 'string', short: 'q', default: '0' },
    l: { type: 'boolean', short: 'l' },
    r: { type: 'boolean', short: 'r' },
  },
});
const client = await mqtt.connectAsync(`mqtt://${values.h}:${values.p}`);
const options = { qos: Number(values.q), retain: values.r === true };
if (values.m !== undefined) await client.publishAsync(values.t, values.m, options);
if (values.l) {
  const pending = new Set();
  for await (const line of createInterface({ input: process.stdin })) {
    const sent = client.publishAsync(values.t, line, options);
    pending.add(sent);
    void sent.finally(() => pending.delete(sent));
    // What is not bounded here grows without end: mqtt.js has no back-pressure of its own.
    if (pending.size >= 1000) await Promise.race(pending);
  }
  await Promise.all(pending);
}
await client.endAsync();
