import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { start } from '../test/run-rr.js';

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return String(port);
}

describe('--local, with a broker of its own', () => {
  const QUALITIES = ['0', '1', '2'];
  for (const version of ['31', '311', '5']) {
    test.each(QUALITIES)(
      `a request to its own response topic answers itself, -V ${version} -q %s`,
      async (qos) => {
        const { io, ended } = start([
          ...['--local', '-p', await freePort(), '-V', version, '-q', qos],
          ...['-t', 'echo', '-e', 'echo', '-m', 'echo', '-F', '%t %p %q'],
        ]);
        expect([await ended, io.out.toString(), io.err]).toEqual([0, `echo echo ${qos}\n`, '']);
      },
    );
  }
});
