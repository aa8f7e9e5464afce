import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { unix } from './unix.js';

const folder = mkdtempSync(join(tmpdir(), 'tsmqtt-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** More than a stream reads ahead, less than a socket of the kernel holds. */
const BYTES = 160 * 1024;

/** A connection on which the peer has sent BYTES and gone. */
async function abandoned(name: string): Promise<Duplex> {
  const path = join(folder, name);
  const server = createServer({ noDelay: true }, (socket) => {
    socket.end(Buffer.alloc(BYTES), () => socket.destroy());
    socket.once('close', () => server.close());
  }).listen(path);
  await once(server, 'listening');
  const duplex = await unix({ path })(new AbortController().signal);
  await once(server, 'close');
  return duplex;
}

async function bytesOf(duplex: Duplex): Promise<number> {
  let bytes = 0;
  duplex.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  duplex.resume();
  await once(duplex, 'end');
  return bytes;
}

test.each([
  ['one write', 1],
  ['several writes', 3],
])('%s to a peer that is gone loses nothing of what it has sent', async (name, writes) => {
  const duplex = await abandoned(name);
  duplex.on('error', () => {}).pause();
  for (let count = 0; count < writes; count++) duplex.write('PINGREQ');
  expect(await bytesOf(duplex)).toBe(BYTES);
});

test('the write has failed when everything is read', async () => {
  const duplex = await abandoned('failure');
  duplex.on('error', () => {});
  const written = new Promise((resolve) => duplex.write('PINGREQ', resolve));
  duplex.resume();
  expect(await written).toMatchObject({ code: 'EPIPE' });
});
