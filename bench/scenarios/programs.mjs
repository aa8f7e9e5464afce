// Programs from their start to their end, beside `node -e 0`: what is left of a program that must start Node.js first.
// Same broker for all.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inTurn, result } from '../measure.mjs';
import { client, installed, timeProgram, withBroker } from '../peers.mjs';

const RUNS = 6;

export async function programs({ runs, scale }) {
  const broker = installed('mosquitto') ? 'mosquitto' : 'tsmqtt';
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-bench-programs-'));
  try {
    // Without it mosquitto keeps the retained message back until the SUBACK has been acknowledged, 40 ms later.
    return await withBroker(broker, ['set_tcp_nodelay true'], async ({ at }) => {
      const publish = [...at, '-t', 'a', '-m', 'b'];
      const subscribe = [...at, '-t', 'retained', '-C', '1'];
      const passwd = (name) => ['-b', path.join(folder, name), 'user', 'password'];
      timeProgram([...client('tsmqtt', 'pub'), ...at, '-t', 'retained', '-m', 'b', '-r', '-q', '1']);
      timeProgram([...client('tsmqtt', 'passwd'), '-c', ...passwd('tsmqtt')]);
      const c = installed('mosquitto');
      if (c) timeProgram([...client('mosquitto', 'passwd'), '-c', ...passwd('mosquitto')]);
      const commands = {
        node: [process.execPath, '-e', '0'],
        pub: [...client('tsmqtt', 'pub'), ...publish],
        pub1: [...client('tsmqtt', 'pub'), ...publish, '-q', '1'],
        pub2: [...client('tsmqtt', 'pub'), ...publish, '-q', '2'],
        sub: [...client('tsmqtt', 'sub'), ...subscribe],
        // Its own request is the response.
        rr: [...client('tsmqtt', 'rr'), ...at, '-t', 'c', '-e', 'c', '-m', 'b'],
        passwd: [...client('tsmqtt', 'passwd'), ...passwd('tsmqtt')],
        ...(c && {
          mosquitto_pub: [...client('mosquitto', 'pub'), ...publish],
          mosquitto_sub: [...client('mosquitto', 'sub'), ...subscribe],
          mosquitto_passwd: [...client('mosquitto', 'passwd'), ...passwd('mosquitto')],
        }),
      };
      const names = Object.keys(commands);
      const times = { runs: Math.max(1, Math.round(runs * RUNS * scale)), warmUp: 3 };
      const taken = await inTurn(names, times, (name) => timeProgram(commands[name]));
      return [
        result({
          title: `One program from start to end, broker ${broker}`,
          unit: 'ms',
          base: 'node',
          rows: {
            node: '`node -e 0`',
            pub: '`tsmqtt-pub`',
            pub1: '`tsmqtt-pub -q 1`',
            pub2: '`tsmqtt-pub -q 2`',
            sub: '`tsmqtt-sub -C 1`, retained message',
            rr: '`tsmqtt-rr`, its own request as the response',
            passwd: '`tsmqtt-passwd -b`',
            mosquitto_pub: '`mosquitto_pub`',
            mosquitto_sub: '`mosquitto_sub -C 1`, retained message',
            mosquitto_passwd: '`mosquitto_passwd -b`',
          },
          ...taken,
        }),
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
