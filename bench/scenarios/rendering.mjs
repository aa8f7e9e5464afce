// How fast sub prints: a server of a few lines pours the same message at it as fast as it reads.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { publishPacket } from '../load/raw-packets.mjs';
import { inTurn, result } from '../measure.mjs';
import { client, installed } from '../peers.mjs';

const FORMATS = ['%t %p', '%I %t %x', '%j'];
const MESSAGES = 1_000_000;
const LIMIT_MS = 120_000;
const toolkits = { tsmqtt: 'tsmqtt-sub', mosquitto: 'mosquitto_sub' };

export async function rendering({ runs, scale }) {
  const results = [];
  for (const format of FORMATS) {
    const names = Object.keys(toolkits).filter(installed);
    const taken = await inTurn(names, { runs }, (name) =>
      printed(name, format, Math.round(MESSAGES * scale * (name === 'tsmqtt' ? 1 : 0.2))),
    );
    results.push(
      result({
        title: `sub -F '${format}', 8 bytes of payload`,
        unit: 'messages a second',
        better: 'more',
        rows: toolkits,
        ...taken,
      }),
    );
  }
  return results;
}

/** Messages a second, from the first that is sent to the end of the program. */
function printed(toolkit, format, count) {
  const packet = publishPacket('bench/rendering', '12345678');
  const chunk = Buffer.concat(Array.from({ length: 2000 }, () => packet));
  return new Promise((resolve, reject) => {
    let started;
    const server = createServer((socket) => {
      let greeted = false;
      socket.on('error', () => {});
      socket.on('data', () => {
        if (!greeted) {
          greeted = true;
          socket.write(Buffer.from([0x20, 2, 0, 0]));
          return;
        }
        if (started !== undefined) return;
        // SUBACK for Packet Identifier 1, then messages until nobody takes them.
        started = performance.now();
        socket.write(Buffer.from([0x90, 3, 0, 1, 0]));
        const pour = () => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', pour);
        pour();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const [command, ...first] = client(toolkit, 'sub');
      const at = ['-h', '127.0.0.1', '-p', String(port), '-t', '#', '-F', format, '-C', String(count)];
      const child = spawn(command, [...first, ...at], {
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: LIMIT_MS,
      });
      child.on('exit', (code) => {
        const ms = performance.now() - started;
        server.close();
        if (code === 0) resolve((count / ms) * 1000);
        else reject(new Error(`sub ended with ${code}`));
      });
    });
  });
}
