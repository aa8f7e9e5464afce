import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { unix } from './unix.js';

const never = new AbortController().signal;

function socketFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-unix-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'a b.sock');
}

test('connects', async () => {
  const file = socketFile();
  const server = createServer((socket) => socket.end('hello'));
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  const duplex = await unix({ path: file })(never);
  const [text] = await duplex.toArray();
  expect(String(text)).toBe('hello');
});

test.each([
  ['nothing there', (file: string) => file, 'ENOENT'],
  ['a path that is no folder', () => '/dev/null/x', 'ENOTDIR'],
  ['no socket', () => '/dev/null', 'ECONNREFUSED'],
])('%s', async (_title, name, code) => {
  const file = name(socketFile());
  await expect(unix({ path: file })(never)).rejects.toMatchObject({
    name: 'ClientError',
    code: 'connect-failed',
    address: file,
    port: undefined,
    cause: { code },
  });
});

test('aborted', async () => {
  await expect(unix({ path: socketFile() })(AbortSignal.abort('enough'))).rejects.toBe('enough');
});
