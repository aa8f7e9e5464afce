import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { unusedPort } from '../../test/unused-port.js';
import { tcp } from './tcp.js';

const never = new AbortController().signal;

async function listen(host: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function closeLater(duplex: Duplex): Duplex {
  onTestFinished(() => {
    duplex.destroy();
  });
  return duplex;
}

test('connects by address and by name', async () => {
  const { port } = await listen('127.0.0.1');
  for (const host of ['127.0.0.1', 'localhost']) {
    const duplex = closeLater(await tcp({ host, port })(never));
    expect(duplex).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: port });
  }
});

test('from a local address', async () => {
  const { server, port } = await listen('127.0.0.1');
  const peer = new Promise((resolve) =>
    server.once('connection', ({ remoteAddress }) => resolve(remoteAddress)),
  );
  closeLater(await tcp({ host: '127.0.0.1', port, bindAddress: '127.0.0.2' })(never));
  expect(await peer).toBe('127.0.0.2');
});

test('nobody listens: the last address that was tried, and the error of the operating system', async () => {
  const port = await unusedPort();
  await expect(tcp({ host: '127.0.0.1', port })(never)).rejects.toMatchObject({
    code: 'connect-failed',
    address: '127.0.0.1',
    port,
    cause: { code: 'ECONNREFUSED', syscall: 'connect' },
  });
});

test('a local address that is not ours', async () => {
  const { port } = await listen('127.0.0.1');
  await expect(tcp({ host: '127.0.0.1', port, bindAddress: '192.0.2.1' })(never)).rejects.toMatchObject({
    code: 'connect-failed',
    cause: { code: 'EADDRNOTAVAIL' },
  });
});

test.each([
  ['a host', { host: 'host.invalid', port: 1 }],
  ['a bind address', { host: '127.0.0.1', port: 1, bindAddress: 'host.invalid' }],
])('%s that does not resolve', async (_title, options) => {
  await expect(tcp(options)(never)).rejects.toMatchObject({ code: 'lookup-failed' });
});

test.each([
  ['a host', { host: '', port: 1 }],
  ['a bind address', { host: '127.0.0.1', port: 1, bindAddress: '' }],
])('%s without a name, which Node.js would warn of on stderr', async (_title, options) => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  await expect(tcp(options)(never)).rejects.toMatchObject({ code: 'lookup-failed' });
  expect(warn).not.toHaveBeenCalled();
});

test('a bind address of another family than the host', async () => {
  await expect(tcp({ host: '127.0.0.1', port: 1, bindAddress: '::1' })(never)).rejects.toMatchObject({
    code: 'lookup-failed',
    message: '::1 and 127.0.0.1 have no address of the same family',
  });
});

test('aborted before it began', async () => {
  const signal = AbortSignal.abort('enough');
  await expect(tcp({ host: '127.0.0.1', port: 1 })(signal)).rejects.toBe('enough');
  await expect(tcp({ host: 'localhost', port: 1 })(signal)).rejects.toBe('enough');
});

test('aborted while it connects', async () => {
  const { port } = await listen('127.0.0.1');
  const controller = new AbortController();
  const connecting = tcp({ host: '127.0.0.1', port })(controller.signal);
  // The connection is being made; nothing has come back yet within this turn.
  queueMicrotask(() => controller.abort('enough'));
  await expect(connecting).rejects.toBe('enough');
});
